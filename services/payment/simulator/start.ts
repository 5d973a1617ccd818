import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';

import { serve } from '@hono/node-server';
import { trace, type Tracer } from '@opentelemetry/api';

import { type Database, type DatabaseHooks, migrate, openDatabase } from '#database';
import { type Clock, errorCode, type Log, type Random, refusal, type Stoppable } from '#kit';

import { createApi } from './api.ts';
import { type RunningBackground, startBackground } from './background.ts';
import { type Faults, requireFaults } from './faults.ts';
import { misbehave } from './misbehave.ts';
import { createMisbehaviour } from './misbehaviour.ts';
import type { Background, Simulator } from './simulator.ts';
import type { WebhookTarget } from './webhook-target.ts';

/** The simulator's own schema: payment never reads it. */
export const STRIPE_SIMULATOR_SCHEMA = 'stripe_simulator';

/** A test key for whoever talks to the simulator, which takes any. Not a secret. */
export const SIMULATOR_KEY = 'sk_test_simulator';

export interface StripeSimulatorOptions {
  /** A database of its own, which is not payment's. */
  readonly databaseUrl: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** For the ledger's statements. Default: the process's own. */
  readonly tracer?: Tracer;
  /** Points at which a test stops or fails it, above all `stripe_simulator.charge`, `stripe_simulator.refund` and `stripe_simulator.settle`. */
  readonly hooks?: DatabaseHooks;
  /** Who is told of payments and refunds, see `readWebhookTarget`. Default: nobody. */
  readonly webhook?: WebhookTarget | undefined;
  /** How it misbehaves from the start. Default: not at all. */
  readonly faults?: Faults;
  /** When a refund settles that does not do so at once. Default 1,000. */
  readonly refundSettlesAfterMs?: number;
}

export interface StripeSimulator extends Stoppable {
  /** Where it listens, such as `http://127.0.0.1:12111`. */
  readonly url: string;
  /** Replaces all faults from now on; {} behaves again. Throws INVALID_SETTING for values out of bounds. */
  misbehave(faults: Faults): void;
}

const REFUND_SETTLES_AFTER_MS = 1_000;
const MAX_CONNECTIONS = 4;
/** How long `stop()` waits for requests under way, before it cuts them. */
const STOP_GRACE_MS = 2_000;

/**
 * Starts a stand-in for Stripe on this machine. Its ledger outlives it: started again on
 * the same database, it knows every payment and every idempotency key. Throws PORT_IN_USE.
 */
export async function startStripeSimulator(options: StripeSimulatorOptions): Promise<StripeSimulator> {
  const { databaseUrl, host, port, log, clock, random, webhook, faults = {}, refundSettlesAfterMs = REFUND_SETTLES_AFTER_MS } = options;
  const misbehaviour = createMisbehaviour({ clock, random }, requireFaults(faults));
  await migrateSimulator(databaseUrl, log);
  const db = openSimulatorDatabase(options);
  const halt = new AbortController();
  let running: RunningBackground | undefined;
  // It needs the simulator, and the simulator it.
  const background: Background = { wakeDelivery: () => running?.wakeDelivery(), wakeSettling: () => running?.wakeSettling() };
  const simulator: Simulator = { db, clock, random, misbehaviour, hasWebhook: webhook !== undefined, refundSettlesAfterMs, background };
  try {
    const { fetch } = createApi(simulator, log);
    const server = await listen(misbehave(fetch, { misbehaviour, clock, signal: halt.signal }), host, port);
    running = startBackground(simulator, { webhook, signal: halt.signal, log });
    const url = urlOf(server, host);
    log.info({ url, ...(webhook && { webhook: webhook.url.href }) }, 'the card-payment simulator stands in for Stripe on this machine; no real money moves');
    let stopped: Promise<void> | undefined;
    return {
      url,
      misbehave: (wanted) => misbehaviour.set(requireFaults(wanted)),
      stop: () => (stopped ??= stop({ server, background: running, db, halt })),
    };
  } catch (thrown) {
    await db.stop();
    throw thrown;
  }
}

/** The ledger's database, also for who reads it beside a running simulator: see `readLedger`. */
export function openSimulatorDatabase(
  options: Pick<StripeSimulatorOptions, 'databaseUrl' | 'log' | 'tracer' | 'hooks'>,
): Database {
  const { databaseUrl: url, log, tracer = trace.getTracer('stripe simulator'), hooks = {} } = options;
  const applicationName = 'stripe simulator';
  return openDatabase({ url, schema: STRIPE_SIMULATOR_SCHEMA, maxConnections: MAX_CONNECTIONS, applicationName, tracer, log, hooks });
}

async function migrateSimulator(url: string, log: Log): Promise<void> {
  const components = [{ name: 'stripe_simulator', directory: join(import.meta.dirname, 'migrations') }];
  await migrate({ url, schema: STRIPE_SIMULATOR_SCHEMA, components, log, mayCreateDatabase: true });
}

async function listen(fetch: ReturnType<typeof misbehave>, host: string, port: number): Promise<Server> {
  // By default the adapter replaces the process's own Request and Response; others live in this process, too.
  // Its type allows for HTTP/2, which nobody asked for, so what fetch gets are HTTP/1 bindings.
  const server = serve({ fetch: fetch as Parameters<typeof serve>[0]['fetch'], hostname: host, port, overrideGlobalObjects: false });
  try {
    await once(server, 'listening');
  } catch (thrown) {
    if (errorCode(thrown) !== 'EADDRINUSE') throw thrown;
    const message = `port ${port} of ${host} is taken; stop what listens there or give the card-payment simulator another one (0 takes a free one)`;
    throw refusal('PORT_IN_USE', message, { cause: thrown });
  }
  // serve() types every kind of server it can make; without options it makes a plain HTTP one.
  return server as Server;
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

interface Running {
  readonly server: Server;
  readonly background: RunningBackground | undefined;
  readonly db: Database;
  readonly halt: AbortController;
}

async function stop({ server, background, db, halt }: Running): Promise<void> {
  const closed = once(server, 'close');
  halt.abort();
  server.close();
  const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(cut);
  await background?.ended;
  await db.stop();
}
