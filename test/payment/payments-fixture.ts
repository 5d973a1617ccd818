import { join } from 'node:path';

import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { type Database, type DatabaseHooks, migrate } from '#database';
import { eventsMigrations } from '#events';
import { type Clock, type Log, MeshError, type Money, silentLog, systemClock, systemRandom } from '#kit';

import { charge } from '../../services/payment/charging.ts';
import type { Payment } from '../../services/payment/domain.ts';
import { createPaymentWriter } from '../../services/payment/payment-writer.ts';
import { paymentOf, type Payments } from '../../services/payment/payments.ts';
import type { Refund } from '../../services/payment/refund.ts';
import { refundsOfOrder } from '../../services/payment/refund-store.ts';
import { refundPart, refundWhole } from '../../services/payment/refunding.ts';
import { keepNotice, type StripeNotice } from '../../services/payment/webhook/event-store.ts';
import { emptyTables } from '../database/empty-tables.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';
import { type CardCompany, createCardCompany } from './card-company.ts';

export const SIGNAL = new AbortController().signal;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const MIGRATIONS = { name: 'payment', directory: join(import.meta.dirname, '..', '..', 'services', 'payment', 'migrations') };

/** The payment service's rules and tables, with a card company of the test's own. */
export interface PaymentsFixture {
  readonly database: Database;
  readonly company: CardCompany;
  readonly payments: Payments;
  /** As `payments`, with others in place of its parts. */
  with(changes: Partial<Payments>): Payments;
  /** Charges 10.00 EUR. */
  charge(orderId: string, paymentMethod?: string, given?: Payments): Promise<Payment>;
  /** Charges 10.00 EUR for an order of its own, and returns its id. */
  charged(): Promise<string>;
  refund(orderId: string, given?: Payments): Promise<Payment>;
  part(orderId: string, refundId: string, minor: bigint, given?: Payments): Promise<{ payment: Payment; refund: Refund }>;
  paymentOf(orderId: string): Promise<Payment>;
  /** Id, state and amount of each. */
  refundsOf(orderId: string): Promise<[refundId: string, state: string, minor: bigint][]>;
  /** State and amount of each refund that the card company has of an order. */
  refundsAtCompany(orderId: string): [state: string, minor: bigint][];
  /** Keeps a notice of Stripe, as the webhook does; false when it is known. Its id is one of its own where none is given. */
  notice(notice: Partial<StripeNotice> & Pick<StripeNotice, 'paymentIntentId'>): Promise<boolean>;
  /** How many notices have not had their effect. */
  openNotices(): Promise<number>;
  /** Types without their package, with what is told of the amount, in the order in which they were written. */
  eventsOf(orderId: string): Promise<string[]>;
  run(text: string, ...values: unknown[]): Promise<object[]>;
  /** Empty tables, and a card company as new. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPayments({ log = silentLog, hooks = {} }: { log?: Log; hooks?: DatabaseHooks } = {}): Promise<PaymentsFixture> {
  const test = await createTestDatabase();
  await migrate({ url: test.url, schema: 'shop', components: [MIGRATIONS, eventsMigrations], log: silentLog });
  const database = openTestDatabase({ url: test.url, maxConnections: 8, hooks });
  const company = createCardCompany();
  const writer = createPaymentWriter({ database, tracer: trace.getTracer('test'), clock: systemClock });
  const payments: Payments = { database, writer, gateway: company, clock: systemClock, random: systemRandom, log, checkAfterMs: 30_000 };
  const run = (text: string, ...values: unknown[]): Promise<object[]> => database.query({ name: '', text }, values);
  const chargeOrder: PaymentsFixture['charge'] = (orderId, paymentMethod = 'pm_card_visa', given = payments) =>
    charge(given, { orderId, amount: eur(1_000n), paymentMethod }, SIGNAL);
  let orders = 0;
  let notices = 0;
  return {
    ...{ database, company, payments, run },
    with: (changes) => ({ ...payments, ...changes }),
    charge: chargeOrder,
    async charged() {
      const orderId = `order-${(orders += 1)}`;
      expect((await chargeOrder(orderId)).state).to.equal('COMPLETED');
      return orderId;
    },
    refund: (orderId, given = payments) => refundWhole(given, orderId, SIGNAL),
    part: (orderId, refundId, minor, given = payments) => refundPart(given, { orderId, refundId, amount: eur(minor), reason: 'broken' }, SIGNAL),
    paymentOf: (orderId) => paymentOf(payments, orderId),
    refundsOf: async (orderId) => (await refundsOfOrder(database, orderId)).map(({ refundId, state, amount }) => [refundId, state, amount.minor]),
    refundsAtCompany: (orderId) => company.charges.filter((made) => made.orderId === orderId).flatMap(({ refunds }) => refunds.map(({ state, amount }) => [state, amount.minor])),
    notice: (notice) => keepNotice(database, { eventId: `evt_${(notices += 1)}`, type: 'refund.updated', orderId: undefined, ...notice }, new Date()),
    openNotices: async () => (await run('SELECT event_id FROM stripe_event WHERE due_time IS NOT NULL')).length,
    eventsOf: async (orderId) => (await run('SELECT type, payload FROM outbox WHERE key = $1 ORDER BY position', orderId)).map(inWords),
    async clear() {
      await emptyTables(database, 'payment', 'refund', 'stray_capture', 'stripe_event', 'outbox');
      company.reset();
    },
    async stop() {
      await database.stop();
      await test.drop();
    },
  };
}

export function eur(minor: bigint): Money {
  return { minor, currency: 'EUR' };
}

/** A clock that is so far ahead. */
export function ahead(ms: number): Clock {
  return { ...systemClock, now: () => Date.now() + ms };
}

/** Why it was refused; '' when it was not. */
export function reasonOf(call: Promise<unknown>): Promise<string> {
  return call.then(() => '', (thrown: unknown) => MeshError.from(thrown).reason);
}

function inWords(row: object): string {
  // The columns that eventsOf selects.
  const { type, payload } = row as { type: string; payload: { amount?: { units?: string; nanos?: number }; whole?: boolean } };
  const { units = '0', nanos = 0 } = payload.amount ?? {};
  return `${type.split('.').at(-1)} ${units}.${String(nanos / 10_000_000).padStart(2, '0')}${payload.whole ? ' whole' : ''}`;
}
