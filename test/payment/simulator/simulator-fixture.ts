import { trace } from '@opentelemetry/api';

import type { Database, DatabaseHooks } from '#database';
import { type Clock, type Log, silentLog, systemClock, systemRandom } from '#kit';
import {
  type Faults,
  type LedgerEntry,
  openSimulatorDatabase,
  readLedger,
  SIMULATOR_KEY,
  startStripeSimulator,
  type StripeSimulator,
  type WebhookTarget,
} from '#stripe-simulator';

import { createTestDatabase, type TestDatabase } from '../../database/postgres-fixture.ts';

/** Those in which something happens; single statements, which pass the hooks as well, only look or tell. */
const TRANSACTIONS = new Set(['stripe_simulator.charge', 'stripe_simulator.refund', 'stripe_simulator.settle']);

/** A simulator on a database of its own, with an eye on its ledger. */
export interface SimulatorFixture {
  url(): string;
  /** What was captured and refunded for an order, oldest first. */
  ledger(orderId?: string): Promise<LedgerEntry[]>;
  /** What happens at the commits of its transactions from now on; {} for nothing. */
  onCommit(hooks: DatabaseHooks): void;
  misbehave(faults: Faults): void;
  /** Stops it and starts another one on the same database. */
  restart(): Promise<void>;
  remove(): Promise<void>;
  readonly database: TestDatabase;
}

export interface SimulatorFixtureOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly webhook?: WebhookTarget;
  readonly faults?: Faults;
  /** Default: as the simulator's own. */
  readonly refundSettlesAfterMs?: number;
}

export async function startSimulatorFixture(options: SimulatorFixtureOptions = {}): Promise<SimulatorFixture> {
  const database = await createTestDatabase();
  let hooks: DatabaseHooks = {};
  const start = (): Promise<StripeSimulator> =>
    startStripeSimulator({
      log: silentLog,
      clock: systemClock,
      ...options,
      databaseUrl: database.url,
      host: '127.0.0.1',
      port: 0,
      random: systemRandom,
      tracer: trace.getTracer('test'),
      hooks: {
        beforeCommit: (name) => (TRANSACTIONS.has(name) ? hooks.beforeCommit?.(name) : undefined),
        afterCommit: (name) => (TRANSACTIONS.has(name) ? hooks.afterCommit?.(name) : undefined),
      },
    });
  let simulator = await start();
  const books: Database = openSimulatorDatabase({ databaseUrl: database.url, log: silentLog, tracer: trace.getTracer('test') });
  return {
    database,
    url: () => simulator.url,
    ledger: (orderId) => readLedger(books, orderId === undefined ? {} : { orderId }),
    onCommit: (wanted) => void (hooks = wanted),
    misbehave: (faults) => simulator.misbehave(faults),
    async restart() {
      await simulator.stop();
      simulator = await start();
    },
    async remove() {
      await simulator.stop();
      await books.stop();
      await database.drop();
    },
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Whatever Stripe's JSON holds; a test says what it expects there. */
  readonly json: Record<string, unknown>;
}

export interface RawRequest {
  readonly form?: Record<string, string>;
  readonly key?: string;
  readonly apiKey?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** A body that does not say how long it is. */
  readonly chunked?: string;
}

/** One HTTP request as the `stripe` package would send it, but with every detail in the test's hands. */
export async function send(base: string, method: string, path: string, request: RawRequest = {}): Promise<RawAnswer> {
  const { form, key, apiKey = SIMULATOR_KEY, headers = {} } = request;
  const body = request.body ?? (form && new URLSearchParams(form).toString());
  const response = await fetch(new URL(path, base), {
    method,
    headers: {
      connection: 'close',
      ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...headers,
    },
    ...(body !== undefined && { body }),
    ...(request.chunked !== undefined && { body: new Blob([request.chunked]).stream(), duplex: 'half' }),
  });
  const text = await response.text();
  // The tests read single fields and compare them, so a wrong shape shows there.
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) as Record<string, unknown> };
}

/** A field of an answer by its path, such as `error.code`. */
export function field(answer: RawAnswer, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => Reflect.get(Object(value), name), answer.json);
}

/** Parameters of a payment that goes through, with some of them changed. */
export function payment(changes: Record<string, string> = {}): Record<string, string> {
  return {
    amount: '1250',
    currency: 'eur',
    payment_method: 'pm_card_visa',
    confirm: 'true',
    'automatic_payment_methods[enabled]': 'true',
    'automatic_payment_methods[allow_redirects]': 'never',
    'metadata[order_id]': 'order-1',
    ...changes,
  };
}
