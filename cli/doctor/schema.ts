import { type ComponentState, schemaRefusal, schemaState } from '#database';
import { MeshError } from '#kit';
import { loadModule, MODULE_NAMES, type ModuleName } from '#modules';

import { eventLogTables } from '../serving/event-bus.ts';
import { eventPlace } from '../serving/event-place.ts';
import type { Tables } from '../serving/tables.ts';
import type { Resolved } from '../settings.ts';
import { type Check, fail, type Finding, ok, orElse, type Scene, skip, warn } from './check.ts';
import { withDatabase } from './databases.ts';

/** Tables that are older or newer than the code, or made by another edition of its migrations, service by service, and those of the event log. */
export const schema: Check = {
  name: 'schema',
  async run({ settings }: Scene) {
    const named = MODULE_NAMES.filter((name) => settings.databaseUrls[name] !== '');
    if (named.length === 0) return [skip('no database is named here; the one of `mesh up` runs with the shop')];
    const ofServices = await Promise.all(named.map(async (name) => tablesOf(name, settings.databaseUrls[name])));
    const found = await Promise.all([...ofServices, ...ofEvents(settings)].map(lookAtTables));
    return orElse(together(found.flat()), ok(`the tables of ${named.length === 1 ? named[0] : `all ${named.length} services`} are as this program knows them`));
  },
};

async function tablesOf(name: ModuleName, url: string): Promise<Tables> {
  return { url, schema: name, components: (await loadModule(name)).migrations };
}

function ofEvents({ values }: Resolved): Tables[] {
  const place = eventPlace(values);
  return place?.kind === 'postgres' ? [eventLogTables(place.url)] : [];
}

async function lookAtTables({ url, schema: name, components }: Tables): Promise<{ name: string; finding: Finding }[]> {
  try {
    const state = await withDatabase(url, name, (database) => schemaState(database, components));
    return refusalOf(name, state.components).map((finding) => ({ name, finding }));
  } catch (thrown) {
    const { message, metadata } = MeshError.from(thrown);
    return [{ name, finding: metadata['trouble'] === 'missing' ? warn(message, '') : fail(message, '') }];
  }
}

function refusalOf(name: string, components: readonly ComponentState[]): Finding[] {
  const refused = schemaRefusal(name, components);
  return refused ? [fail(refused.message, '')] : [];
}

/** Where the server is away, every service says the same. */
function together(found: readonly { name: string; finding: Finding }[]): Finding[] {
  return [...Map.groupBy(found, ({ finding }) => finding.says)].flatMap(([, alike]) => {
    const [first] = alike;
    if (!first) return [];
    return [alike.length === 1 ? first.finding : { ...first.finding, says: `${alike.map(({ name }) => name).join(', ')}: ${first.finding.says}` }];
  });
}
