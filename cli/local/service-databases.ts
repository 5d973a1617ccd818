import { applicationRole, ensureRoles, withUser } from '#database';
import { EVENT_LOG_SCHEMA } from '#events';
import type { Random } from '#kit';
import { MODULE_NAMES } from '#modules';

import { eventPlace } from '../serving/event-place.ts';
import { databaseSetting, ownerSetting, type Resolved } from '../settings.ts';
import type { Environment } from './environment.ts';
import type { DatabaseUrl } from './postgres.ts';

/** Tables on the Postgres that `mesh up` brings, and the settings that lead to them. */
interface Place {
  readonly database: string;
  readonly schema: string;
  readonly urlSetting: string;
  readonly ownerSetting: string;
}

/** As many as the superuser's own has. */
const PASSWORD_BYTES = 24;

/**
 * A database for each service that has none and one for the event log, or one for all of them in the monolith, and a role for
 * each. The roles' passwords are new at each start: nobody keeps them but the processes that use them.
 */
export async function bringServiceDatabases(settings: Resolved, urlOf: DatabaseUrl, random: Random): Promise<Environment> {
  const places = placesOf(settings).map((place) => {
    const password = Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url');
    return { ...place, role: { name: applicationRole(place.database, place.schema), password } };
  });
  await ensureRoles(urlOf('postgres'), places.map(({ role }) => role), random);
  const urls = places.flatMap((place) => {
    const ownerUrl = urlOf(place.database);
    return [[place.urlSetting, withUser(ownerUrl, place.role)], [place.ownerSetting, ownerUrl]];
  });
  return Object.fromEntries(urls);
}

function placesOf({ values, databaseUrls }: Resolved): Place[] {
  const databaseOf = (name: string): string => (values.MESH_TOPOLOGY === 'monolith' ? 'shop' : `shop_${name}`);
  const ofServices = MODULE_NAMES.filter((name) => !databaseUrls[name]).map((name) => ({
    database: databaseOf(name),
    schema: name,
    urlSetting: databaseSetting(name),
    ownerSetting: ownerSetting(name),
  }));
  if (eventPlace(values) !== undefined) return ofServices;
  const ofEvents = { database: databaseOf('events'), schema: EVENT_LOG_SCHEMA, urlSetting: 'MESH_EVENTS_URL', ownerSetting: 'MESH_EVENTS_OWNER_URL' };
  return [...ofServices, ofEvents];
}
