import { refusal } from '#kit';

/** Who is told what happened here. */
export interface WebhookTarget {
  readonly url: URL;
  /** What the events are signed with; Stripe's begin with `whsec_`. */
  readonly secret: string;
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Undefined for an empty URL: nobody is told. Throws INVALID_SETTING for a place beyond this machine,
 * which has no business with made-up money, and for a missing secret.
 */
export function readWebhookTarget({ url: text, secret }: { readonly url: string; readonly secret: string }): WebhookTarget | undefined {
  if (text === '') return undefined;
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' || !LOOPBACK.has(url.hostname) || url.username !== '') {
    throw refusal('INVALID_SETTING', 'the card-payment simulator calls webhooks of this machine only; write their address like http://127.0.0.1:8081/webhooks/stripe');
  }
  if (secret === '') throw refusal('INVALID_SETTING', 'the card-payment simulator signs what it sends to a webhook; set STRIPE_WEBHOOK_SECRET for it and for payment, such as whsec_simulator');
  return { url, secret };
}
