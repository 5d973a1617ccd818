import { type ComponentState, schemaRefusal, schemaState } from '#database';
import { MeshError } from '#kit';
import { loadModule, MODULE_NAMES, type ModuleName } from '#modules';

import { type Check, fail, type Finding, ok, orElse, type Scene, skip, warn } from './check.ts';
import { withDatabase } from './databases.ts';

/** Tables that are older or newer than the code, or made by another edition of its migrations, service by service. */
export const schema: Check = {
  name: 'schema',
  async run({ settings }: Scene) {
    const named = MODULE_NAMES.filter((name) => settings.databaseUrls[name] !== '');
    if (named.length === 0) return [skip('no database is named here; the one of `mesh up` runs with the shop')];
    const found = await Promise.all(named.map((name) => lookAtTables(name, settings.databaseUrls[name])));
    return orElse(together(found.flat()), ok(`the tables of ${named.length === 1 ? named[0] : `all ${named.length} services`} are as this program knows them`));
  },
};

async function lookAtTables(name: ModuleName, url: string): Promise<{ name: ModuleName; finding: Finding }[]> {
  const module = await loadModule(name);
  try {
    const { components } = await withDatabase(url, name, (database) => schemaState(database, module.migrations));
    return refusalOf(name, components).map((finding) => ({ name, finding }));
  } catch (thrown) {
    const { message, metadata } = MeshError.from(thrown);
    return [{ name, finding: metadata['trouble'] === 'missing' ? warn(message, '') : fail(message, '') }];
  }
}

function refusalOf(name: ModuleName, components: readonly ComponentState[]): Finding[] {
  const refused = schemaRefusal(name, components);
  return refused ? [fail(refused.message, '')] : [];
}

/** Where the server is away, every service says the same. */
function together(found: readonly { name: ModuleName; finding: Finding }[]): Finding[] {
  return [...Map.groupBy(found, ({ finding }) => finding.says)].flatMap(([, alike]) => {
    const [first] = alike;
    if (!first) return [];
    return [alike.length === 1 ? first.finding : { ...first.finding, says: `${alike.map(({ name }) => name).join(', ')}: ${first.finding.says}` }];
  });
}
