import { MODULE_NAMES, type ModuleName, secretsOfOthers } from '#modules';

import { LEDGER_URL } from '../books/ledger-place.ts';
import { databaseSetting, ownerSetting } from '../settings.ts';

/** What no service's process is told: the ways past its own role, and who its operator is. */
const OF_OPERATORS = ['DATABASE_OWNER_URL', 'MESH_EVENTS_OWNER_URL', 'MESH_PASSWORD', LEDGER_URL, ...MODULE_NAMES.map(ownerSetting)];

/** Settings as a process with these services gets them: without the databases and secrets of the others, and without any owner's. */
export function ownSettings<T extends Readonly<Record<string, string | undefined>>>(environment: T, services: readonly ModuleName[]): T {
  const ofOthers = MODULE_NAMES.filter((name) => !services.includes(name)).map(databaseSetting);
  const withheld = new Set([...OF_OPERATORS, ...ofOthers, ...secretsOfOthers(services)]);
  // The same kind of bag, with some names less, each of which may be missing.
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !withheld.has(name))) as T;
}
