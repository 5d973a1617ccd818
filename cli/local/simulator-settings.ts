import { text } from '#kit';

/** Of the card simulator that `mesh up` brings. What its webhooks are signed with is the payment service's STRIPE_WEBHOOK_SECRET. */
export const SIMULATOR_SETTINGS = {
  MESH_STRIPE_SIMULATOR_WEBHOOK_URL: text({ default: '', doc: 'Address on this machine that the card simulator tells of payments and refunds, as Stripe would; empty: nobody' }),
  MESH_STRIPE_SIMULATOR_FAULTS: text({ default: '', doc: 'How the card simulator misbehaves, JSON such as {"loseAnswer": 10, "late": {"percent": 5, "ms": 3000}}; empty: not at all' }),
};
