import { createHmac } from 'node:crypto';

export const SECRET = 'whsec_hushhush';

/** A header as Stripe makes it: https://docs.stripe.com/webhooks#verify-manually. */
export function signatureOf(body: string, { atMs = Date.now(), secret = SECRET }: { atMs?: number; secret?: string } = {}): string {
  const seconds = Math.floor(atMs / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/** An event about a payment intent, as Stripe writes it. */
export function eventOf(id: string, type: string, paymentIntent: string, more: object = {}): string {
  const about = type.startsWith('charge.dispute.') ? 'dispute' : type.split('.')[0];
  const object = about === 'payment_intent' ? { id: paymentIntent, object: about } : { id: `x_${id}`, object: about, payment_intent: paymentIntent };
  return JSON.stringify({ id, object: 'event', type, data: { object: { ...object, ...more } } });
}
