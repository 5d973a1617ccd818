import type { Stripe } from 'stripe';

import { type Clock, refusal } from '#kit';

import type { StripeNotice } from './event-store.ts';

/** What a request to the webhook turned out to be. */
export type Verified =
  | { readonly kind: 'notice'; readonly notice: StripeNotice }
  /** Signed by Stripe, and about nothing that concerns payments here. */
  | { readonly kind: 'ignored' }
  /** Not signed with our secret, or not just now. */
  | { readonly kind: 'refused' };

export interface VerifyOptions {
  /** STRIPE_WEBHOOK_SECRET, `whsec_…`. */
  readonly secret: string;
  readonly clock: Clock;
}

/** Older or newer than this, a signature is refused: who has got hold of a request may not send it later. As Stripe's own library has it, for old ones. */
const TOLERANCE_MS = 5 * 60 * 1_000;

/** A buyer has asked the bank for the money back: https://docs.stripe.com/disputes. */
export const DISPUTE_BEGUN = 'charge.dispute.created';

/** https://docs.stripe.com/api/events/types. After any of these the charge is read from Stripe. */
const ABOUT_CHARGES: ReadonlySet<string> = new Set([
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  DISPUTE_BEGUN,
  'charge.refunded',
  'charge.refund.updated',
  'refund.created',
  'refund.updated',
  'refund.failed',
]);

/** Checks the signature of a request to the webhook (https://docs.stripe.com/webhooks#verify-events) and reads what it is about. INVALID_SETTING for a secret that cannot be one. */
export function createNoticeVerifier({ secret, clock }: VerifyOptions): (body: Buffer, signature: string) => Promise<Verified> {
  // Never repeated in the sentence: what was pasted may be a secret, only not this one.
  if (!/^whsec_\S+$/.test(secret)) {
    throw refusal('INVALID_SETTING', 'STRIPE_WEBHOOK_SECRET is not the signing secret of a webhook endpoint; it begins with whsec_');
  }
  return async (body, signature) => {
    const { Stripe } = await import('stripe');
    const nowMs = clock.now();
    if (!isOfNow(signature, nowMs)) return { kind: 'refused' };
    let event: Stripe.Event;
    try {
      event = Stripe.webhooks.constructEvent(body, signature, secret, TOLERANCE_MS / 1_000, undefined, nowMs);
    } catch {
      // Its error holds the whole body, which nobody is to see.
      return { kind: 'refused' };
    }
    return noticeOf(event);
  };
}

/** Stripe's library takes timestamps of any future, so that a request could be made today for next year. */
function isOfNow(signature: string, nowMs: number): boolean {
  const times = signature.split(',').filter((item) => item.startsWith('t='));
  const seconds = /^t=(\d{1,12})$/.exec(times[0] ?? '')?.[1];
  return times.length === 1 && seconds !== undefined && Math.abs(nowMs - Number(seconds) * 1_000) <= TOLERANCE_MS;
}

function noticeOf(event: Stripe.Event): Verified {
  const { id: eventId, type } = event;
  const paymentIntentId = paymentIntentOf(event);
  if (!ABOUT_CHARGES.has(type) || !isId(eventId) || !isId(paymentIntentId)) return { kind: 'ignored' };
  return { kind: 'notice', notice: { eventId, type, paymentIntentId, orderId: orderOf(event) } };
}

/** Of a payment intent its own id; charges, refunds and disputes name theirs, if they have one. */
function paymentIntentOf({ data: { object } }: Stripe.Event): unknown {
  if (!('object' in object)) return undefined;
  if (object.object === 'payment_intent') return object.id;
  if (object.object !== 'charge' && object.object !== 'refund' && object.object !== 'dispute') return undefined;
  return typeof object.payment_intent === 'string' ? object.payment_intent : object.payment_intent?.id;
}

function orderOf({ data: { object } }: Stripe.Event): string | undefined {
  if (!('object' in object) || object.object !== 'payment_intent') return undefined;
  const orderId = object.metadata?.['order_id'];
  return orderId !== undefined && /^[a-z0-9-]{1,64}$/.test(orderId) ? orderId : undefined;
}

/** What goes into a path or a key of ours, though it is signed. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_]{1,255}$/.test(value);
}
