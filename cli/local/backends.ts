import { join } from 'node:path';

import { type Lifecycle, type Log, MeshError, refusal, systemClock, systemRandom } from '#kit';
import { MODULE_NAMES } from '#modules';

import { LEDGER_URL } from '../books/ledger-place.ts';
import { consulOrigin } from '../serving/consul-origin.ts';
import { connectControlPlane } from '../serving/control-plane.ts';
import { eventPlace } from '../serving/event-place.ts';
import type { Resolved } from '../settings.ts';
import { startCardSimulator } from './card-simulator.ts';
import type { DataFolder } from './data-folder.ts';
import type { Environment } from './environment.ts';
import { mailPlace } from './mail-place.ts';
import { type DatabaseUrl, keepPostgres } from './postgres.ts';
import { forgetTheDead } from './registry.ts';
import { bringServiceDatabases } from './service-databases.ts';

/** The servers the services stand on, as the environment that leads to them; each settles when its server takes calls. */
export interface Backends {
  readonly consul: Promise<Environment>;
  readonly traces: Promise<Environment>;
  readonly databases: Promise<Environment>;
  readonly cards: Promise<Environment>;
  readonly mail: Promise<Environment>;
}

interface Given {
  readonly settings: Resolved;
  readonly folder: DataFolder;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  /** Told of each server that is up. */
  readonly report: (name: string, what: string) => void;
}

const HOST = '127.0.0.1';

/** Starts a stand-in for every server that no setting names. All at once; what is set is used as it is. */
export function startBackends(given: Given): Backends {
  const { settings } = given;
  const isSet = (name: string): boolean => settings.origins[name] !== 'default';
  const databases = needsPostgres(settings) ? startPostgres(given) : Promise.resolve(undefined);
  const backends = {
    consul: isSet('CONSUL_HTTP_ADDR') ? realConsul(given) : startAgent(given),
    traces: isSet('OTEL_EXPORTER_OTLP_ENDPOINT') || settings.values.OTEL_TRACES_EXPORTER !== 'otlp' ? realTraces(given) : startSpans(given),
    databases: databases.then((urlOf) => (urlOf ? bringServiceDatabases(settings, urlOf, systemRandom) : {})),
    cards: isSet('STRIPE_API_KEY') ? realCards(given) : startCards(given, databases),
    mail: Promise.resolve(mailPlace(given)),
  };
  // Whoever needs a server hears why it is not there, perhaps only after another one's failure has ended the start.
  for (const backend of Object.values(backends)) backend.catch(() => undefined);
  return backends;
}

/** Asked at once: that nobody listens there is said before anything else is waited for. */
async function realConsul({ settings, log, report }: Given): Promise<Environment> {
  const controlPlane = await connectControlPlane(settings, log);
  await controlPlane.stop();
  report('consul', consulOrigin(settings.values.CONSUL_HTTP_ADDR));
  return {};
}

async function startAgent({ settings, folder, lifecycle, log, report }: Given): Promise<Environment> {
  const { startAgent: start } = await import('#discovery/agent');
  const agent = await onPreferredPort(8500, (port) =>
    start({ dataDir: join(folder.path, 'agent'), host: HOST, port, log, clock: systemClock, random: systemRandom }),
  );
  lifecycle.onStop('agent', () => agent.stop());
  const environment = { CONSUL_HTTP_ADDR: agent.url };
  await forgetTheDead(environment, settings, log);
  report('consul', `${agent.url} (stand-in${moved(agent.url, 8500)})`);
  return environment;
}

async function startSpans({ lifecycle, log, report }: Given): Promise<Environment> {
  const { startCollector } = await import('#tracing/collector');
  const collector = await onPreferredPort(4318, (otlpPort) =>
    onPreferredPort(16_686, (queryPort) => startCollector({ host: HOST, otlpPort, queryPort, log })),
  );
  lifecycle.onStop('span collector', () => collector.stop());
  report('jaeger', `${collector.queryUrl} (stand-in, without pages${moved(collector.queryUrl, 16_686)}; spans to ${collector.otlpUrl}${moved(collector.otlpUrl, 4318)})`);
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl, MESH_JAEGER_URL: collector.queryUrl };
}

/** Where Jaeger answers: as set, else beside the receiver that takes the spans. */
async function realTraces({ settings, report }: Given): Promise<Environment> {
  const { values } = settings;
  if (values.OTEL_TRACES_EXPORTER === 'none') return {};
  const [name, receiver] =
    values.OTEL_TRACES_EXPORTER === 'jaeger'
      ? ['OTEL_EXPORTER_JAEGER_ENDPOINT', values.OTEL_EXPORTER_JAEGER_ENDPOINT]
      : ['OTEL_EXPORTER_OTLP_ENDPOINT', values.OTEL_EXPORTER_OTLP_ENDPOINT];
  const url = URL.parse(receiver);
  if (!url) throw refusal('INVALID_SETTING', `${name} is not a URL; write it like http://127.0.0.1:4318`);
  const jaegerUrl = values.MESH_JAEGER_URL || `http://${url.hostname}:16686`;
  report('jaeger', `${jaegerUrl} (spans to ${receiver})`);
  return { MESH_JAEGER_URL: jaegerUrl };
}

/** Whether a service has no database yet, or the events no place. */
function needsPostgres({ values, databaseUrls }: Resolved): boolean {
  return eventPlace(values) === undefined || MODULE_NAMES.some((name) => !databaseUrls[name]);
}

async function startPostgres({ folder, lifecycle, log, report }: Given): Promise<DatabaseUrl> {
  return keepPostgres({ dataDir: join(folder.path, 'postgres'), lifecycle, log, report: (what) => report('postgres', what) });
}

async function realCards({ settings, report }: Given): Promise<Environment> {
  report('stripe', settings.values.MESH_STRIPE_URL || 'Stripe');
  return {};
}

async function startCards({ settings, lifecycle, log, report }: Given, databaseUrl: Promise<DatabaseUrl | undefined>): Promise<Environment> {
  const { url, key, ledgerUrl } = await startCardSimulator({ settings, host: HOST, databaseUrl, lifecycle, log });
  report('stripe', `${url} (stand-in)`);
  return { STRIPE_API_KEY: key, MESH_STRIPE_URL: url, [LEDGER_URL]: ledgerUrl };
}

/** Says so when a stand-in does not listen where one would look for it. */
function moved(url: string, usualPort: number): string {
  return new URL(url).port === String(usualPort) ? '' : `; ${usualPort} is taken`;
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
