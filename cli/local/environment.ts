import { MODULE_NAMES, SERVICE_SETTINGS } from '#modules';

import { eventLogOwnerUrl, eventLogUrl } from '../serving/event-place.ts';
import { CERTIFICATE_SETTINGS } from '../serving/certificate-settings.ts';
import { CONSUL_SETTINGS } from '../serving/consul-settings.ts';
import { IDENTITY_SETTINGS } from '../serving/identity-settings.ts';
import { databaseSetting, ownerSetting, type Resolved } from '../settings.ts';

/** Settings as environment variables. */
export type Environment = Readonly<Record<string, string>>;

const SHARED = [
  'OTEL_TRACES_EXPORTER',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_JAEGER_ENDPOINT',
  'KAFKA_BROKERS',
  'KAFKA_TLS',
  'KAFKA_SASL',
  'MESH_TRACE_PERCENT',
  'MESH_JAEGER_URL',
  'MESH_POLICY',
  'MESH_FAULTS',
  ...Object.keys(CONSUL_SETTINGS),
  ...Object.keys(CERTIFICATE_SETTINGS),
  ...Object.keys(IDENTITY_SETTINGS),
  ...Object.keys(SERVICE_SETTINGS),
];

/** All that leads to the servers a shop stands on, for a further process of it; secrets too. `found` is what `mesh up` has brought. */
export function shopEnvironment({ values, databaseUrls, ownerUrls }: Resolved, found: Environment): Environment {
  const urls = [...MODULE_NAMES.map((name) => [databaseSetting(name), databaseUrls[name]]), ['MESH_EVENTS_URL', eventLogUrl(values)]];
  const owners = [...MODULE_NAMES.map((name) => [ownerSetting(name), ownerUrls[name]]), ['MESH_EVENTS_OWNER_URL', eventLogOwnerUrl(values)]];
  // Every name in SHARED is a setting, and every setting reads back from its text.
  const others = SHARED.map((name) => [name, String((values as Readonly<Record<string, unknown>>)[name])]);
  const set = [...urls, ...owners, ...others].filter(([, value]) => value !== '');
  return { ...Object.fromEntries(set), ...found };
}
