import { ProxyTracerProvider } from '@opentelemetry/api';

import { type Lifecycle, type Log, refusal, systemClock, systemRandom } from '#kit';

import { LEDGER_DATABASE, ledgerBeside } from '../books/ledger-place.ts';
import type { Resolved } from '../settings.ts';
import type { DatabaseUrl } from './postgres.ts';

export interface CardSimulatorOptions {
  readonly settings: Resolved;
  readonly host: string;
  /** Of the Postgres that `mesh up` brings; undefined where it brings none. */
  readonly databaseUrl: Promise<DatabaseUrl | undefined>;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

export interface CardSimulatorAddress {
  readonly url: string;
  readonly key: string;
  /** The database of its ledger. */
  readonly ledgerUrl: string;
}

const NO_SPANS = new ProxyTracerProvider().getTracer('none');

/** Starts the stand-in for Stripe. Its code loads while Postgres comes up. */
export async function startCardSimulator({ settings, host, databaseUrl, lifecycle, log }: CardSimulatorOptions): Promise<CardSimulatorAddress> {
  const { readFaults, readWebhookTarget, SIMULATOR_KEY, startStripeSimulator } = await import('#stripe-simulator');
  const { DATABASE_URL, DATABASE_OWNER_URL, MESH_TOPOLOGY, MESH_STRIPE_SIMULATOR_WEBHOOK_URL: url, MESH_STRIPE_SIMULATOR_FAULTS, STRIPE_WEBHOOK_SECRET: secret } = settings.values;
  const webhook = readWebhookTarget({ url, secret });
  const faults = readFaults(MESH_STRIPE_SIMULATOR_FAULTS);
  const urlOf = await databaseUrl;
  // Where each topology has orders of its own, each has a ledger of its own: else books would differ.
  const ledgerUrl = urlOf ? urlOf(MESH_TOPOLOGY === 'monolith' ? LEDGER_DATABASE : `${LEDGER_DATABASE}_${MESH_TOPOLOGY}`) : beside(DATABASE_OWNER_URL || DATABASE_URL);
  const simulator = await startStripeSimulator({
    databaseUrl: ledgerUrl,
    host,
    port: 0,
    log,
    clock: systemClock,
    random: systemRandom,
    webhook,
    faults,
    // Nobody sees inside Stripe; nor inside its stand-in.
    tracer: NO_SPANS,
  });
  lifecycle.onStop('card simulator', () => simulator.stop());
  return { url: simulator.url, key: SIMULATOR_KEY, ledgerUrl };
}

function beside(url: string): string {
  if (url === '') throw refusal('INVALID_SETTING', NO_PLACE);
  if (!URL.canParse(url)) throw refusal('INVALID_SETTING', NO_URL);
  return ledgerBeside(url);
}

const NO_PLACE =
  'STRIPE_API_KEY is not set, and there is no place for the card simulator\'s ledger; set DATABASE_URL for it, or STRIPE_API_KEY and, for another server than Stripe, MESH_STRIPE_URL';
const NO_URL = 'DATABASE_URL is not the URL of a Postgres database; write it as postgres://user:password@host:5432/database';
