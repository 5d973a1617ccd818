import { duration, integer, refusal, text } from '#kit';

/** Apart from service.ts, so that every process knows the names without loading Stripe. */
export const paymentSettings = {
  STRIPE_API_KEY: text({ default: '', secret: true, doc: 'Secret key of the Stripe account; empty: the local simulator' }),
  MESH_STRIPE_URL: text({ default: '', doc: 'Address of a server that speaks Stripe\'s API; empty: Stripe itself' }),
  STRIPE_WEBHOOK_SECRET: text({ default: '', secret: true, doc: 'Signing secret of the webhook endpoint at Stripe; empty: no webhooks are taken' }),
  MESH_PAYMENT_WEBHOOK_PORT: integer({ default: 0, min: 0, max: 65_535, doc: 'Port that takes Stripe\'s webhooks at /webhooks/stripe; 0 takes a free one' }),
  MESH_PAYMENT_WEBHOOK_HOST: text({ default: '127.0.0.1', doc: 'Address that port is opened on; Stripe reaches it through a proxy that speaks TLS' }),
  MESH_PAYMENT_CHECK_AFTER: duration({ default: 30_000, doc: 'How long a charge or refund may be without an outcome before Stripe is asked about it' }),
  MESH_PAYMENT_CHECK_EVERY: duration({ default: 5_000, doc: 'How often to look for such charges and refunds' }),
};

/** INVALID_SETTING for a STRIPE_API_KEY that cannot be one. It is never repeated in the sentence: what was pasted may be a secret, only not this one. */
export function requireStripeKey(apiKey: string): void {
  if (/^[sr]k_\w+$/.test(apiKey)) return;
  throw refusal('INVALID_SETTING', 'STRIPE_API_KEY is not a secret key of Stripe; it begins with sk_ or rk_. Without it, `mesh up` brings a simulator');
}
