import { duration, flag, integer, oneOf, refusal, type ResolvedSettings, resolveSettings, type Setting, text } from '#kit';
import { MODULE_NAMES, type ModuleName, MODULES, SERVICE_SETTINGS } from '#modules';

import { readConfigFile } from './config-file.ts';
import { closestName } from './did-you-mean.ts';
import { SIMULATOR_SETTINGS } from './local/simulator-settings.ts';
import { CERTIFICATE_SETTINGS } from './serving/certificate-settings.ts';
import { CONSUL_SETTINGS } from './serving/consul-settings.ts';
import { IDENTITY_SETTINGS } from './serving/identity-settings.ts';
import { KAFKA_SETTINGS } from './serving/kafka-settings.ts';

const PROCESS_SETTINGS = {
  ...CONSUL_SETTINGS,
  OTEL_TRACES_EXPORTER: oneOf(['otlp', 'jaeger', 'none'], { default: 'otlp', doc: 'Where spans go: OTLP, Jaeger\'s own protocol, or nowhere' }),
  OTEL_EXPORTER_OTLP_ENDPOINT: text({ default: 'http://127.0.0.1:4318', doc: 'Base address of the OTLP/HTTP receiver; `mesh up` brings a stand-in when it is not set' }),
  OTEL_EXPORTER_JAEGER_ENDPOINT: text({ default: 'http://127.0.0.1:14268/api/traces', doc: 'Address of Jaeger\'s thrift receiver, for OTEL_TRACES_EXPORTER=jaeger' }),
  MESH_TRACE_PERCENT: integer({ default: 100, min: 0, max: 100, doc: 'Share of traces that are recorded, in percent' }),
  MESH_JAEGER_URL: text({ default: '', doc: 'Address of Jaeger\'s query API, to show traces; empty: port 16686 of the machine that takes the spans' }),
  DATABASE_URL: text({ default: '', secret: true, doc: 'Postgres for every service that has none of its own; `mesh up` brings one when it is not set' }),
  DATABASE_OWNER_URL: text({ default: '', secret: true, doc: 'The same database as the role that owns the tables, for `mesh migrate` and operators\' commands; empty: DATABASE_URL\'s' }),
  MESH_EVENTS_URL: text({ default: '', secret: true, doc: 'Postgres of the event log; empty: DATABASE_URL. `mesh up` brings one when neither is set' }),
  MESH_EVENTS_OWNER_URL: text({ default: '', secret: true, doc: 'The event log as the role that owns its tables; empty: the role of MESH_EVENTS_URL' }),
  ...KAFKA_SETTINGS,
  ...CERTIFICATE_SETTINGS,
  ...IDENTITY_SETTINGS,
  MESH_DATABASE_CONNECTIONS: integer({ default: 10, min: 2, max: 200, doc: 'Connections of each service\'s pool' }),
  MESH_MIGRATE: flag({ default: true, doc: 'Bring the tables up to date at start; false: refuse to start on old ones (`mesh migrate` updates them)' }),
  MESH_ADVERTISE: text({ default: '127.0.0.1', doc: 'Address that services bind and register; a host name is looked up once, at start' }),
  MESH_ZONE: text({ default: 'local', doc: 'Zone that is registered with each instance' }),
  ...SIMULATOR_SETTINGS,
  MESH_PASSWORD: text({ default: '', secret: true, doc: 'Password of the address that `mesh call --as` and `mesh token` sign in; empty: it is asked for' }),
  MESH_LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], { default: 'info', doc: 'Least severe log line that is written' }),
  MESH_DATA_DIR: text({ default: '.mesh', doc: 'Folder of everything `mesh up` keeps: the database, the registry, the lock' }),
  MESH_TOPOLOGY: oneOf(['micro', 'monolith'], { default: 'micro', doc: 'One process for each service, or one for all' }),
  MESH_LOCAL_CALLS: oneOf(['direct', 'fidelity'], {
    default: 'direct',
    doc: 'How services that share a process hand over messages: as they are, or through their bytes as between processes',
  }),
  MESH_POLICY: text({
    default: '',
    doc: 'How calls are carried out, JSON by service or method, such as {"order.PlaceOrder": {"retries": {"maxAttempts": 2}}}; `mesh policy set` stands over it',
  }),
  MESH_FAULTS: flag({ default: false, doc: 'Whether calls fail or wait on purpose where `mesh fault` or the header mesh-fault orders it' }),
  MESH_STOP_TIMEOUT: duration({ default: 10_000, doc: 'How long a service may take to stop before it is killed' }),
  MESH_BACKENDS_DIR: text({ default: '', doc: 'Folder in which `npm run backends` keeps the real servers; empty: the user\'s cache folder' }),
};

const PORT_SETTINGS = Object.fromEntries(
  MODULE_NAMES.map((name) => [
    portSetting(name),
    integer({ default: MODULES[name], min: 0, max: 65_535, doc: `Port of ${name}; 0 takes a free one` }),
  ]),
);

const DATABASE_SETTINGS = Object.fromEntries(
  MODULE_NAMES.flatMap((name) => [
    [databaseSetting(name), text({ default: '', secret: true, doc: `Postgres of ${name} alone; empty: DATABASE_URL` })],
    [ownerSetting(name), text({ default: '', secret: true, doc: `The database of ${databaseSetting(name)} as the role that owns the tables` })],
  ]),
);

/** Every setting there is, by environment variable. */
export const SETTINGS = { ...PROCESS_SETTINGS, ...PORT_SETTINGS, ...DATABASE_SETTINGS, ...SERVICE_SETTINGS } as typeof PROCESS_SETTINGS &
  typeof SERVICE_SETTINGS &
  Record<string, Setting<unknown>>;

export type Resolved = ResolvedSettings<typeof PROCESS_SETTINGS & typeof SERVICE_SETTINGS> & {
  /** Port of each service as set. */
  readonly ports: Readonly<Record<ModuleName, number>>;
  /** Database URL of each service; empty where nothing is set. */
  readonly databaseUrls: Readonly<Record<ModuleName, string>>;
  /** The same databases as the roles that own the tables; where none is named, the same URLs: one role does everything. */
  readonly ownerUrls: Readonly<Record<ModuleName, string>>;
};

/** Whether somebody has set it, by flag, environment or `mesh.config.ts`. */
export function isGiven(name: string, { origins }: Pick<Resolved, 'origins'>): boolean {
  return (origins[name] ?? 'default') !== 'default';
}

/** The variable that moves a service's port, such as `MESH_PORT_ORDER`. */
export function portSetting(name: ModuleName): string {
  return `MESH_PORT_${name.toUpperCase()}`;
}

/** The variable that moves a service's tables, such as `DATABASE_URL_ORDER`. */
export function databaseSetting(name: ModuleName): string {
  return `DATABASE_URL_${name.toUpperCase()}`;
}

/** The variable that names the owner of what {@link databaseSetting} names, such as `DATABASE_OWNER_URL_ORDER`. */
export function ownerSetting(name: ModuleName): string {
  return `DATABASE_OWNER_URL_${name.toUpperCase()}`;
}

/** Resolves every setting: flags over environment over `mesh.config.ts` in the current folder over defaults. */
export async function loadSettings(flags: Readonly<Record<string, string | undefined>> = {}): Promise<Resolved> {
  const file = await readConfigFile();
  refuseMisspelt([...Object.keys(process.env), ...Object.keys(file)]);
  const { values, origins } = resolveSettings(SETTINGS, { flags, environment: process.env, file });
  // PORT_SETTINGS and DATABASE_SETTINGS declare one of each for every module, as integer and text.
  const ofModule = <T>(key: (name: ModuleName) => string): Readonly<Record<ModuleName, T>> => eachModule((name) => values[key(name)] as T);
  const [own, owners] = [ofModule<string>(databaseSetting), ofModule<string>(ownerSetting)];
  const databaseUrls = eachModule((name) => own[name] || values.DATABASE_URL);
  // An owner goes with the database that is named beside it: that of another one has other tables.
  const ownerUrls = eachModule((name) => owners[name] || (!own[name] && values.DATABASE_OWNER_URL) || databaseUrls[name]);
  return { values, origins, ports: ofModule<number>(portSetting), databaseUrls, ownerUrls };
}

function eachModule<T>(value: (name: ModuleName) => T): Readonly<Record<ModuleName, T>> {
  // One entry for each name.
  return Object.fromEntries(MODULE_NAMES.map((name) => [name, value(name)])) as Record<ModuleName, T>;
}

/**
 * A name that is almost one of ours is a slip. Other names with our prefix are refused by
 * `resolveSettings`; DATABASE_URL_… and DATABASE_OWNER_URL_… are anybody's, so only the slip is.
 */
function refuseMisspelt(names: readonly string[]): void {
  for (const name of names) {
    const [, prefix = '', rest = ''] = /^(MESH_|DATABASE_URL_|DATABASE_OWNER_URL_)(.*)$/.exec(name) ?? [];
    if (prefix === '' || name in SETTINGS) continue;
    const known = Object.keys(SETTINGS).filter((setting) => setting.startsWith(prefix));
    const meant = closestName(rest, known.map((setting) => setting.slice(prefix.length)));
    if (meant) throw refusal('INVALID_SETTING', `${name} is not a setting of shopmesh; did you mean ${prefix}${meant}? (\`mesh config\` lists them all)`);
  }
}
