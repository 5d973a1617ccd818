import { join } from 'node:path';

import type { Tracer } from '@opentelemetry/api';

import { eventsMigrations } from '#events';
import { refusal } from '#kit';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { defineService } from '#service-module';

import { paymentHandlers } from './handlers.ts';
import { createPaymentWriter } from './payment-writer.ts';
import type { Payments } from './payments.ts';
import { createReconciler } from './reconciler.ts';
import { paymentSettings } from './settings.ts';
import { createStripeGateway } from './stripe-gateway.ts';
import { keepNotice } from './webhook/event-store.ts';
import { createWebhookListener, type WebhookListener } from './webhook/listener.ts';
import { createNoticeVerifier } from './webhook/verify-notice.ts';

export const service = defineService({
  name: 'payment',
  contract: PaymentService,
  dependencies: { orders: OrderService },
  settings: paymentSettings,
  migrations: [{ name: 'payment', directory: join(import.meta.dirname, 'migrations') }, eventsMigrations],
  build({ clients, database, settings, clock, random, log, tracer }) {
    const { STRIPE_API_KEY: apiKey, MESH_STRIPE_URL: apiBase, STRIPE_WEBHOOK_SECRET: secret } = settings;
    if (!apiKey) throw refusal('INVALID_SETTING', 'STRIPE_API_KEY is not set; payment needs a key of your Stripe account, or `mesh up` with its simulator');
    const gateway = createStripeGateway({ apiKey, apiBase: readUrl(apiBase), log, tracer });
    const writer = createPaymentWriter({ database, tracer, clock });
    const payments = { database, writer, gateway, clock, random, log, checkAfterMs: readPause('MESH_PAYMENT_CHECK_AFTER', settings) };
    const reconciler = createReconciler(payments, readPause('MESH_PAYMENT_CHECK_EVERY', settings));
    const { MESH_PAYMENT_WEBHOOK_HOST: host, MESH_PAYMENT_WEBHOOK_PORT: port } = settings;
    const listener = secret === '' ? undefined : openListener({ secret, host, port }, payments, reconciler.wake, tracer);
    const stopping = new AbortController();
    let listening: Promise<void> = Promise.resolve();
    return {
      handlers: paymentHandlers(payments, clients.orders),
      start() {
        void gateway.load();
        reconciler.start();
        if (listener) listening = listenWhenFree(listener, payments, stopping.signal);
      },
      async stop() {
        stopping.abort();
        await listening;
        await listener?.stop();
        await reconciler.stop();
        await gateway.stop();
      },
    };
  },
});

interface Endpoint {
  readonly secret: string;
  readonly host: string;
  readonly port: number;
}

function openListener({ secret, host, port }: Endpoint, { database, clock, log }: Payments, wake: () => void, tracer: Tracer): WebhookListener {
  return createWebhookListener({
    ...{ host, port, log, tracer },
    verify: createNoticeVerifier({ secret, clock }),
    async receive(notice) {
      if (await keepNotice(database, notice, new Date(clock.now()))) wake();
    },
  });
}

/** How often to try for a port that is taken: another instance on this machine may have it, and end. */
const LISTEN_AGAIN_MS = 5_000;

/** Without webhooks the reconciler finds out the same, only later: no reason to take no payments. */
async function listenWhenFree(listener: WebhookListener, { clock, log }: Payments, signal: AbortSignal): Promise<void> {
  for (let isTold = false; !signal.aborted; isTold = true) {
    try {
      log.info({ url: await listener.start() }, 'takes Stripe\'s webhooks');
      return;
    } catch (err) {
      if (!isTold) log.warn({ err }, 'cannot take Stripe\'s webhooks; that begins when it can');
      await clock.sleep(LISTEN_AGAIN_MS, signal).catch(() => {});
    }
  }
}

const SHORTEST_PAUSE_MS = 100;

function readPause(name: 'MESH_PAYMENT_CHECK_AFTER' | 'MESH_PAYMENT_CHECK_EVERY', settings: Readonly<Record<typeof name, number>>): number {
  const pauseMs = settings[name];
  if (pauseMs >= SHORTEST_PAUSE_MS) return pauseMs;
  throw refusal('INVALID_SETTING', `${name} is ${pauseMs} ms, which would keep asking; allow at least ${SHORTEST_PAUSE_MS} ms`);
}

function readUrl(text: string): URL | undefined {
  if (text === '') return undefined;
  const url = URL.parse(text);
  if (url) return url;
  // Not repeated: what was pasted may be a secret.
  throw refusal('INVALID_SETTING', 'MESH_STRIPE_URL is not an address; write it like http://127.0.0.1:12111');
}
