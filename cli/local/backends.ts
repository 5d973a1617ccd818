import { join } from 'node:path';

import { ProxyTracerProvider } from '@opentelemetry/api';

import { type Lifecycle, type Log, MeshError, systemClock, systemRandom } from '#kit';
import { MODULE_NAMES } from '#modules';

import { databaseSetting, type Resolved } from '../settings.ts';
import type { DataFolder } from './data-folder.ts';

/** The servers the services stand on, as the environment that leads to them; each settles when its server takes calls. */
export interface Backends {
  readonly consul: Promise<Environment>;
  readonly traces: Promise<Environment>;
  readonly databases: Promise<Environment>;
  readonly cards: Promise<Environment>;
}

export type Environment = Readonly<Record<string, string>>;

interface Given {
  readonly settings: Resolved;
  readonly folder: DataFolder;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  /** Told of each server that is up. */
  readonly report: (name: string, what: string) => void;
}

const HOST = '127.0.0.1';

/** The simulator takes any test key. */
const SIMULATOR_KEY = 'sk_test_simulator';

const NO_SPANS = new ProxyTracerProvider().getTracer('none');

/** Starts a stand-in for every server that no setting names. All at once; what is set is used as it is. */
export function startBackends(given: Given): Backends {
  const { settings } = given;
  const isSet = (name: string): boolean => settings.origins[name] !== 'default';
  const databases = MODULE_NAMES.every((name) => settings.databaseUrls[name]) ? Promise.resolve(undefined) : startPostgres(given);
  return {
    consul: isSet('CONSUL_HTTP_ADDR') ? asSet(given, 'consul', settings.values.CONSUL_HTTP_ADDR) : startAgent(given),
    traces: isSet('OTEL_EXPORTER_OTLP_ENDPOINT') || settings.values.OTEL_TRACES_EXPORTER !== 'otlp' ? realTraces(given) : startSpans(given),
    databases: databases.then((urlOf) => databaseEnvironment(settings, urlOf)),
    cards: isSet('STRIPE_API_KEY') ? asSet(given, 'stripe', settings.values.MESH_STRIPE_URL || 'Stripe') : startSimulator(given, databases),
  };
}

async function asSet({ report }: Given, name: string, where: string): Promise<Environment> {
  report(name, where);
  return {};
}

async function startAgent({ folder, lifecycle, log, report }: Given): Promise<Environment> {
  const { startAgent: start } = await import('#discovery/agent');
  const agent = await onPreferredPort(8500, (port) =>
    start({ dataDir: join(folder.path, 'agent'), host: HOST, port, log, clock: systemClock, random: systemRandom }),
  );
  lifecycle.onStop('agent', () => agent.stop());
  report('consul', `${agent.url} (stand-in)`);
  return { CONSUL_HTTP_ADDR: agent.url };
}

async function startSpans({ lifecycle, log, report }: Given): Promise<Environment> {
  const { startCollector } = await import('#tracing/collector');
  const collector = await onPreferredPort(4318, (otlpPort) =>
    onPreferredPort(16_686, (queryPort) => startCollector({ host: HOST, otlpPort, queryPort, log })),
  );
  lifecycle.onStop('span collector', () => collector.stop());
  report('jaeger', `${collector.queryUrl} (stand-in; spans to ${collector.otlpUrl})`);
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl, MESH_JAEGER_URL: collector.queryUrl };
}

/** Where Jaeger answers: as set, else beside the receiver that takes the spans. */
async function realTraces({ settings, report }: Given): Promise<Environment> {
  const { values } = settings;
  if (values.OTEL_TRACES_EXPORTER === 'none') return {};
  const receiver = values.OTEL_TRACES_EXPORTER === 'jaeger' ? values.OTEL_EXPORTER_JAEGER_ENDPOINT : values.OTEL_EXPORTER_OTLP_ENDPOINT;
  const jaegerUrl = values.MESH_JAEGER_URL || `http://${new URL(receiver).hostname}:16686`;
  report('jaeger', `${jaegerUrl} (spans to ${receiver})`);
  return { MESH_JAEGER_URL: jaegerUrl };
}

type DatabaseUrl = (database: string) => string;

async function startPostgres({ folder, lifecycle, log, report }: Given): Promise<DatabaseUrl> {
  const { startEmbeddedPostgres } = await import('#database/embedded');
  const onProgress = (step: string): void => report('postgres', step);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder.path, 'postgres'), log, onProgress });
  lifecycle.onStop('postgres', () => postgres.stop());
  report('postgres', `process ${postgres.pid}, data in ${postgres.dataDir}`);
  return (database) => postgres.url(database);
}

/** One database for each service, or one for all of them in the monolith: a service cannot reach a sibling's tables by accident. */
function databaseEnvironment({ values, databaseUrls }: Resolved, urlOf: DatabaseUrl | undefined): Environment {
  if (!urlOf) return {};
  const monolith = values.MESH_TOPOLOGY === 'monolith';
  return Object.fromEntries(
    MODULE_NAMES.filter((name) => !databaseUrls[name]).map((name) => [databaseSetting(name), urlOf(monolith ? 'shop' : `shop_${name}`)]),
  );
}

async function startSimulator({ lifecycle, log, report }: Given, databases: Promise<DatabaseUrl | undefined>): Promise<Environment> {
  const { startStripeSimulator } = await import('#stripe-simulator');
  const urlOf = await databases;
  if (!urlOf) throw noKey();
  const simulator = await startStripeSimulator({
    databaseUrl: urlOf('stripe_simulator'),
    host: HOST,
    port: 0,
    log,
    clock: systemClock,
    random: systemRandom,
    // Nobody sees inside Stripe; nor inside its stand-in.
    tracer: NO_SPANS,
  });
  lifecycle.onStop('card simulator', () => simulator.stop());
  report('stripe', `${simulator.url} (stand-in)`);
  return { STRIPE_API_KEY: SIMULATOR_KEY, MESH_STRIPE_URL: simulator.url };
}

function noKey(): MeshError {
  return new MeshError(
    'FAILED_PRECONDITION',
    'INVALID_SETTING',
    'STRIPE_API_KEY is not set, and the card simulator keeps its ledger in the Postgres that `mesh up` brings; set STRIPE_API_KEY, or unset DATABASE_URL',
  );
}

/** A stand-in listens where the real server would, so that habits and examples hold; when that port is taken, on a free one. */
async function onPreferredPort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port);
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'PORT_IN_USE') throw thrown;
    return start(0);
  }
}
