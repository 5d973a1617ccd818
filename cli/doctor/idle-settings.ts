import { MODULE_NAMES } from '#modules';

import { databaseSetting, isGiven, ownerSetting } from '../settings.ts';
import { type Finding, type Scene, warn } from './check.ts';

/** Settings that are given here and change nothing, beside those that are given with them. */
export function idleSettings(scene: Scene): readonly Finding[] {
  return RULES.flatMap((rule) => rule(scene));
}

type Rule = (scene: Scene) => readonly Finding[];

const RULES: readonly Rule[] = [
  needs('MESH_STRIPE_URL', 'STRIPE_API_KEY', 'without STRIPE_API_KEY, `mesh up` brings the card simulator'),
  needs('CONSUL_HTTP_TOKEN', 'CONSUL_HTTP_ADDR', 'without CONSUL_HTTP_ADDR, `mesh up` brings a registry that asks for none'),
  needs('CONSUL_HTTP_TOKEN_FILE', 'CONSUL_HTTP_ADDR', 'without CONSUL_HTTP_ADDR, `mesh up` brings a registry that asks for none'),
  needs('CONSUL_CACERT', 'CONSUL_HTTP_ADDR', 'without CONSUL_HTTP_ADDR, `mesh up` brings a registry on this machine, in plaintext'),
  needs('MESH_PAYMENT_WEBHOOK_PORT', 'STRIPE_WEBHOOK_SECRET', 'without STRIPE_WEBHOOK_SECRET, no webhooks are taken'),
  needs('MESH_PAYMENT_WEBHOOK_HOST', 'STRIPE_WEBHOOK_SECRET', 'without STRIPE_WEBHOOK_SECRET, no webhooks are taken'),
  needs('KAFKA_TLS', 'KAFKA_BROKERS', 'without KAFKA_BROKERS, the events are in Postgres'),
  needs('KAFKA_SASL', 'KAFKA_BROKERS', 'without KAFKA_BROKERS, the events are in Postgres'),
  needs('DATABASE_OWNER_URL', 'DATABASE_URL', 'it is the owner of that database, and each service\'s own has DATABASE_OWNER_URL_<SERVICE>'),
  needs('MESH_EVENTS_OWNER_URL', 'MESH_EVENTS_URL', 'it is the owner of that event log, and that in DATABASE_URL has DATABASE_OWNER_URL'),
  onlyWithExporter('OTEL_EXPORTER_JAEGER_ENDPOINT', ['jaeger']),
  onlyWithExporter('OTEL_EXPORTER_OTLP_ENDPOINT', ['otlp']),
  onlyWithExporter('MESH_TRACE_PERCENT', ['otlp', 'jaeger']),
  ...MODULE_NAMES.map((name) => needs(ownerSetting(name), databaseSetting(name), `${name} has its tables in DATABASE_URL, whose owner is DATABASE_OWNER_URL`)),
  sharedDatabase,
  eventLog,
  localCalls,
  topology,
];

/** A setting that is the other one's. */
function needs(name: string, other: string, because: string): Rule {
  return ({ given }) => (isGiven(name, given) && !isGiven(other, given) ? [warn(`${name} does nothing: ${because}`, `set ${other} too, or unset ${name}`)] : []);
}

function onlyWithExporter(name: string, exporters: readonly string[]): Rule {
  return ({ given }) => {
    const exporter = given.values.OTEL_TRACES_EXPORTER;
    if (!isGiven(name, given) || exporters.includes(exporter)) return [];
    return [warn(`${name} does nothing: OTEL_TRACES_EXPORTER is ${exporter}`, `set that to ${exporters.join(' or ')}, or unset ${name}`)];
  };
}

function sharedDatabase({ given }: Scene): Finding[] {
  const own = MODULE_NAMES.map(databaseSetting);
  const hasEvents = isGiven('MESH_EVENTS_URL', given) || isGiven('KAFKA_BROKERS', given);
  if (!isGiven('DATABASE_URL', given) || !hasEvents || !own.every((name) => isGiven(name, given))) return [];
  return [warn('DATABASE_URL does nothing: every service has one of its own', 'unset it, or one of DATABASE_URL_<SERVICE>')];
}

function eventLog({ given }: Scene): Finding[] {
  if (!isGiven('MESH_EVENTS_URL', given) || !isGiven('KAFKA_BROKERS', given)) return [];
  return [warn('MESH_EVENTS_URL does nothing: KAFKA_BROKERS is set, so Kafka carries the events', 'unset one of them')];
}

function localCalls({ given, supervisor }: Scene): Finding[] {
  const runs = supervisor?.topology ?? given.values.MESH_TOPOLOGY;
  if (!isGiven('MESH_LOCAL_CALLS', given) || runs !== 'micro') return [];
  return [warn('MESH_LOCAL_CALLS does nothing: no two services share a process', 'set MESH_TOPOLOGY to monolith, or unset it')];
}

function topology({ given, supervisor }: Scene): Finding[] {
  const wanted = given.values.MESH_TOPOLOGY;
  if (!supervisor || !isGiven('MESH_TOPOLOGY', given) || supervisor.topology === wanted) return [];
  return [warn(`MESH_TOPOLOGY is ${wanted}, but the shop that runs is ${supervisor.topology}`, 'it is read at the start: `npx mesh down`, `npx mesh up`')];
}
