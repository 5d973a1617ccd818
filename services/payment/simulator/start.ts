import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';

import { serve } from '@hono/node-server';
import { trace, type Tracer } from '@opentelemetry/api';

import { type Database, type DatabaseHooks, migrate, openDatabase } from '#database';
import { type Clock, errorCode, type Log, type Random, refusal, type Stoppable } from '#kit';

import { createApi } from './api.ts';

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
  /** Points at which a test stops or fails it: `stripe_simulator.charge` and `stripe_simulator.refund`. */
  readonly hooks?: DatabaseHooks;
}

export interface StripeSimulator extends Stoppable {
  /** Where it listens, such as `http://127.0.0.1:12111`. */
  readonly url: string;
}

const MAX_CONNECTIONS = 4;
/** How long `stop()` waits for requests under way, before it cuts them. */
const STOP_GRACE_MS = 2_000;

/**
 * Starts a stand-in for Stripe on this machine. Its ledger outlives it: started again on
 * the same database, it knows every payment and every idempotency key. Throws PORT_IN_USE.
 */
export async function startStripeSimulator(options: StripeSimulatorOptions): Promise<StripeSimulator> {
  const { databaseUrl, host, port, log, clock, random } = options;
  await migrateSimulator(databaseUrl, log);
  const db = openSimulatorDatabase(options);
  try {
    const api = createApi({ db, clock, random }, log);
    const server = await listen(api.fetch, host, port);
    const url = urlOf(server, host);
    log.info({ url }, 'the card-payment simulator stands in for Stripe on this machine; no real money moves');
    let stopped: Promise<void> | undefined;
    return { url, stop: () => (stopped ??= stop(server, db)) };
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

async function listen(fetch: Parameters<typeof serve>[0]['fetch'], host: string, port: number): Promise<Server> {
  // By default the adapter replaces the process's own Request and Response; others live in this process, too.
  const server = serve({ fetch, hostname: host, port, overrideGlobalObjects: false });
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

async function stop(server: Server, db: Database): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(cut);
  await db.stop();
}
