import { type ComponentState, isUnreachable, readDatabaseUrl, schemaRefusal, schemaState } from '#database';
import { MeshError } from '#kit';
import { loadModule, MODULE_NAMES, type ModuleName } from '#modules';

import { eventLogTables } from '../serving/event-bus.ts';
import { eventPlace } from '../serving/event-place.ts';
import type { Tables } from '../serving/tables.ts';
import type { Resolved } from '../settings.ts';
import { type Check, fail, type Finding, ok, orElse, type Scene, skip, warn } from './check.ts';
import { withDatabase } from './databases.ts';
import { silentServer } from './silent-server.ts';

/** Tables that are older or newer than the code, or made by another edition of its migrations, service by service, and those of the event log. */
export const schema: Check = {
  name: 'schema',
  async run({ settings }: Scene) {
    const named = MODULE_NAMES.filter((name) => settings.databaseUrls[name] !== '');
    if (named.length === 0) return [skip('no database is named here; the one of `mesh up` runs with the shop')];
    const ofServices = await Promise.all(named.map(async (name) => tablesOf(name, settings.databaseUrls[name])));
    const found = await Promise.all([...ofServices, ...ofEvents(settings)].map(lookAtTables));
    return orElse(await together(found.flat()), ok(`the tables of ${named.length === 1 ? named[0] : `all ${named.length} services`} are as this program knows them`));
  },
};

/** What is looked at, as the role that works on it sees it. */
type Seen = Pick<Tables, 'url' | 'schema' | 'components'>;

async function tablesOf(name: ModuleName, url: string): Promise<Seen> {
  return { url, schema: name, components: (await loadModule(name)).migrations };
}

function ofEvents({ values }: Resolved): Seen[] {
  const place = eventPlace(values);
  return place?.kind === 'postgres' ? [eventLogTables(place.url)] : [];
}

/** What was found of one service's tables, or that its server does not answer. */
interface Sight {
  readonly name: string;
  readonly finding: Finding;
  /** The URL of the database, where nobody answers. */
  readonly silent?: string;
}

async function lookAtTables({ url, schema: name, components }: Seen): Promise<Sight[]> {
  try {
    const state = await withDatabase(url, name, (database) => schemaState(database, components));
    return refusalOf(name, state.components).map((finding) => ({ name, finding }));
  } catch (thrown) {
    const error = MeshError.from(thrown);
    const finding = error.metadata['trouble'] === 'missing' ? warn(error.message, '') : fail(error.message, '');
    return [{ name, finding, ...(isUnreachable(error) && { silent: url }) }];
  }
}

function refusalOf(name: string, components: readonly ComponentState[]): Finding[] {
  const refused = schemaRefusal(name, components);
  return refused ? [fail(refused.message, '')] : [];
}

/** Where a server is away, that is said once for all that it holds; so is what several services say alike. */
async function together(found: readonly Sight[]): Promise<readonly Finding[]> {
  const keyOf = ({ finding, silent }: Sight): string => (silent === undefined ? finding.says : serverOf(silent));
  return Promise.all([...Map.groupBy(found, keyOf).values()].map(inOne));
}

async function inOne(alike: readonly Sight[]): Promise<Finding> {
  const names = alike.map(({ name }) => name);
  const [first] = alike;
  // `groupBy` makes no empty group.
  if (!first) throw new Error('a group of findings is empty');
  if (first.silent !== undefined) return silentServer(names, first.silent);
  return alike.length === 1 ? first.finding : { ...first.finding, says: `${names.join(', ')}: ${first.finding.says}` };
}

function serverOf(url: string): string {
  const { server, port } = readDatabaseUrl(url);
  return `${server}:${port}`;
}
