import { readRoleState, type RoleState } from '#database';
import { EVENT_LOG_SCHEMA } from '#events';
import { MeshError } from '#kit';
import { MODULE_NAMES } from '#modules';

import { eventPlace } from '../serving/event-place.ts';
import type { Resolved } from '../settings.ts';
import { type Check, type Finding, ok, orElse, type Scene, skip, warn } from './check.ts';
import { withDatabase } from './databases.ts';

const SCHEMAS = [...MODULE_NAMES, EVENT_LOG_SCHEMA];

interface Seen {
  readonly schema: string;
  /** Undefined where the database cannot be asked. */
  readonly state: RoleState | undefined;
}

/** Roles of services that may do more than work on their own tables. */
export const roles: Check = {
  name: 'roles',
  async run({ settings }: Scene) {
    const places = placesOf(settings);
    if (places.length === 0) return [skip('no database is named here; the one of `mesh up` runs with the shop')];
    const seen = await Promise.all(places.map(look));
    if (seen.every(({ state }) => state === undefined)) return [skip('no database can be asked')];
    return orElse([...owning(seen), ...reaching(seen)], ok('each works on its own tables only, and none of them owns any'));
  },
};

function placesOf({ databaseUrls, values }: Resolved): { schema: string; url: string }[] {
  const ofServices = MODULE_NAMES.filter((name) => databaseUrls[name] !== '').map((name) => ({ schema: name, url: databaseUrls[name] }));
  const events = eventPlace(values);
  return events?.kind === 'postgres' ? [...ofServices, { schema: EVENT_LOG_SCHEMA, url: events.url }] : ofServices;
}

async function look({ schema, url }: { schema: string; url: string }): Promise<Seen> {
  try {
    return { schema, state: await withDatabase(url, schema, (database) => readRoleState(database, schema, SCHEMAS)) };
  } catch (thrown) {
    // Where the tables cannot be read, the check of the schema says why.
    if (thrown instanceof MeshError) return { schema, state: undefined };
    throw thrown;
  }
}

function owning(seen: readonly Seen[]): Finding[] {
  const names = seen.filter(({ state }) => state?.ownsTables).map(({ schema }) => schema);
  if (names.length === 0) return [];
  const says = `the roles of ${names.join(', ')} own the tables they work on: whoever takes over such a process can change and drop them, and what guards them`;
  return [warn(says, 'give each a role of its own, and name the owner in DATABASE_OWNER_URL or DATABASE_OWNER_URL_<SERVICE>, then run `npx mesh migrate`')];
}

/** An owner or superuser can do more than that, and is told of above. */
function reaching(seen: readonly Seen[]): Finding[] {
  const far = seen.flatMap(({ schema, state }) => (state && !state.ownsTables && state.siblings.length > 0 ? [{ schema, ...state }] : []));
  return [...Map.groupBy(far, ({ role }) => role)].map(([role, alike]) => {
    const names = alike.map(({ schema }) => schema).join(', ');
    const siblings = [...new Set(alike.flatMap((each) => each.siblings))].join(', ');
    return warn(`"${role}", the role of ${names}, can use the tables of ${siblings}, too`, 'give each service a role of its own, or REVOKE what that one has there');
  });
}
