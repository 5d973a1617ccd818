import { text } from '#kit';

/** Apart from service.ts, so that every process knows the names without loading Stripe. */
export const paymentSettings = {
  STRIPE_API_KEY: text({ default: '', secret: true, doc: 'Secret key of the Stripe account; empty: the local simulator' }),
  MESH_STRIPE_URL: text({ default: '', doc: 'Address of a server that speaks Stripe\'s API; empty: Stripe itself' }),
};
