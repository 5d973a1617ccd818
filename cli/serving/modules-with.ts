import type { MigrationComponent } from '#database';
import { loadModule, MODULE_NAMES, type ModuleName } from '#modules';

/** The services that have these tables in their schema. */
export async function modulesWith(component: MigrationComponent): Promise<readonly ModuleName[]> {
  const has = await Promise.all(MODULE_NAMES.map(async (name) => (await loadModule(name)).migrations.includes(component)));
  return MODULE_NAMES.filter((_, index) => has[index]);
}
