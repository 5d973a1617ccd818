import { join } from 'node:path';

import { refusal } from '#kit';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { defineService } from '#service-module';

import { paymentHandlers } from './handlers.ts';
import { paymentSettings } from './settings.ts';
import { createStripeGateway } from './stripe-gateway.ts';

export const service = defineService({
  name: 'payment',
  contract: PaymentService,
  dependencies: {},
  settings: paymentSettings,
  migrations: [{ name: 'payment', directory: join(import.meta.dirname, 'migrations') }],
  build({ database, settings, clock, log, tracer }) {
    const { STRIPE_API_KEY: apiKey, MESH_STRIPE_URL: apiBase } = settings;
    if (!apiKey) throw refusal('INVALID_SETTING', 'STRIPE_API_KEY is not set; payment needs a key of your Stripe account, or `mesh up` with its simulator');
    const gateway = createStripeGateway({ apiKey, apiBase: readUrl(apiBase), log, tracer });
    return { handlers: paymentHandlers({ database, gateway, clock }), start: () => void gateway.load(), stop: () => gateway.stop() };
  },
});

function readUrl(text: string): URL | undefined {
  if (text === '') return undefined;
  const url = URL.parse(text);
  if (url) return url;
  throw refusal('INVALID_SETTING', `MESH_STRIPE_URL is "${text}", which is not an address; write it like http://127.0.0.1:12111`);
}
