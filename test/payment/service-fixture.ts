import { trace, type Tracer } from '@opentelemetry/api';

import { type Database, migrate } from '#database';
import { createPostgresBus } from '#events';
import { type Log, silentLog, systemClock, systemRandom } from '#kit';
import type { Client, Handlers } from '#mesh';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { SIMULATOR_KEY } from '#stripe-simulator';

import { service } from '../../services/payment/service.ts';
import { freePort } from '../backends/free-port.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';
import { createFleet } from '../mesh/support/fleet.ts';
import { type SimulatorFixture, startSimulatorFixture } from './simulator/simulator-fixture.ts';

export const WEBHOOK_SECRET = 'whsec_hushhush';

/** Instances of the payment service on one database and one simulator, which tells them of what happens. */
export interface RunningPayments {
  readonly client: Client<typeof PaymentService>;
  readonly database: Database;
  readonly simulator: SimulatorFixture;
  /** Types of the events about an order, without their package. */
  eventsOf(orderId: string): Promise<string[]>;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly instances?: number;
  readonly log?: Log;
  readonly tracer?: Tracer;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export async function startPaymentService({ instances = 1, log = silentLog, tracer = trace.getTracer('test'), settings = {} }: ServiceOptions = {}): Promise<RunningPayments> {
  const port = await freePort();
  const webhook = { url: new URL(`http://127.0.0.1:${port}/webhooks/stripe`), secret: WEBHOOK_SECRET };
  const simulator = await startSimulatorFixture({ webhook, refundSettlesAfterMs: 500 });
  const place = await createTestDatabase();
  await migrate({ url: place.url, schema: 'payment', components: service.migrations, log: silentLog });
  const database = openTestDatabase({ url: place.url, schema: 'payment', maxConnections: 10, log, tracer });
  // It consumes nothing, so nothing of the bus is opened.
  const bus = createPostgresBus({ database, clock: systemClock, random: systemRandom, log });
  const given = {
    STRIPE_API_KEY: SIMULATOR_KEY,
    MESH_STRIPE_URL: simulator.url(),
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    MESH_PAYMENT_WEBHOOK_PORT: port,
    MESH_PAYMENT_WEBHOOK_HOST: '127.0.0.1',
    MESH_PAYMENT_CHECK_AFTER: 30_000,
    MESH_PAYMENT_CHECK_EVERY: 5_000,
    ...settings,
  };
  const built = Array.from({ length: instances }, () =>
    service.build({ clients: {}, database, settings: given, bus, clock: systemClock, random: systemRandom, log, tracer, sagaHooks: {}, eventHooks: {} }),
  );
  const fleet = createFleet('local');
  // A service module's type forgets which contract it is.
  await fleet.host(PaymentService, () => built[0]?.handlers as Handlers<typeof PaymentService>);
  for (const { start } of built) start?.();
  return {
    client: fleet.client(PaymentService),
    ...{ database, simulator },
    async eventsOf(orderId) {
      const statement = { name: 'test.events', text: 'SELECT type FROM outbox WHERE key = $1 ORDER BY position' };
      return (await database.query<{ type: string }>(statement, [orderId])).map(({ type }) => type.replace(/.*\./, ''));
    },
    async stop() {
      await Promise.all(built.map(({ stop }) => stop?.()));
      await fleet.stop();
      await database.stop();
      await simulator.remove();
      await place.drop();
    },
  };
}
