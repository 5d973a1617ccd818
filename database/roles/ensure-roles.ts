import type { Client } from 'pg';

import { type Clock, type Random, refusal, systemClock, systemRandom } from '#kit';

import { sqlState } from '../database-errors.ts';
import { withConnection } from '../one-connection.ts';
import { scramVerifier } from './scram-verifier.ts';

/** A role that may log in, and nothing else. */
export interface LoginRole {
  readonly name: string;
  /** Left out where it logs in by other means, or somebody else keeps it. */
  readonly password?: string | undefined;
}

/** Values travel apart from the text: a DO block takes no parameters, but reads settings. */
const TELL_ROLES = `SELECT set_config('shopmesh.roles', $1, false)`;

// One statement for all, since each commit waits for the disk. Those who come at once by the same database take turns. A role
// that is there keeps its password where ours may not change it: then somebody else keeps it. A role has the rights of those
// that it is a member of. Some only say how it logs in, as hosts of databases have them: they own nothing, and nothing is
// granted to them.
const ENSURE_ROLES = `DO $$
DECLARE
  wanted record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('shopmesh.access', 0));
  FOR wanted IN SELECT name, verifier FROM json_to_recordset(current_setting('shopmesh.roles')::json) AS role (name text, verifier text) LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)) THEN
      RAISE EXCEPTION '%', wanted.name USING ERRCODE = 'invalid_role_specification';
    END IF;
    IF EXISTS (
      SELECT FROM pg_roles AS role JOIN pg_roles AS above ON above.oid <> role.oid AND pg_has_role(role.oid, above.oid, 'MEMBER')
      WHERE role.rolname = wanted.name AND (
        above.rolsuper OR above.rolcreaterole OR above.rolcreatedb OR above.rolreplication OR above.rolbypassrls OR starts_with(above.rolname::text, 'pg_')
        OR EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = above.oid AND deptype IN ('o', 'a'))
      )
    ) THEN
      RAISE EXCEPTION '%', wanted.name USING ERRCODE = 'invalid_role_specification';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I LOGIN', wanted.name);
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION '%', wanted.name USING ERRCODE = 'insufficient_privilege';
      END;
    END IF;
    IF wanted.verifier IS NOT NULL THEN
      BEGIN
        EXECUTE format('ALTER ROLE %I PASSWORD %L', wanted.name, wanted.verifier);
      EXCEPTION WHEN insufficient_privilege THEN
        NULL;
      END;
    END IF;
  END LOOP;
END $$`;

const INVALID_ROLE = '0P000';
const INSUFFICIENT_PRIVILEGE = '42501';
/** Somebody who came by another database made or changed the same role in the same instant. XX000 is "tuple concurrently updated". */
const TOO_LATE = new Set(['23505', '42710', 'XX000']);
const ATTEMPTS = 5;
const PAUSE_MS = 20;

/**
 * Makes the roles that are missing, and gives all of them their passwords: run again with another one, the password is
 * changed. The user of `url` needs CREATEROLE. Throws DATABASE_UNAVAILABLE where it may not make one, INVALID_SETTING for a
 * role that may do more than log in, such as a superuser.
 */
export async function ensureRoles(url: string, roles: readonly LoginRole[], random: Random = systemRandom): Promise<void> {
  await withConnection(url, 'mesh roles', (client) => putRoles(client, roles, random));
}

/** The same over a connection that is open. */
export async function putRoles(client: Client, roles: readonly LoginRole[], random: Random, clock: Clock = systemClock): Promise<void> {
  const wanted = roles.map(async ({ name, password }) => ({ name, verifier: password === undefined ? null : await scramVerifier(password, random) }));
  await client.query(TELL_ROLES, [JSON.stringify(await Promise.all(wanted))]);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(ENSURE_ROLES);
      return;
    } catch (thrown) {
      const state = sqlState(thrown) ?? '';
      if (!TOO_LATE.has(state) || attempt === ATTEMPTS) throw roleRefusal(state, thrown);
    }
    await clock.sleep(PAUSE_MS);
  }
}

function roleRefusal(state: string, thrown: unknown): unknown {
  // ENSURE_ROLES says nothing but the role's name.
  const role = thrown instanceof Error ? thrown.message : '';
  if (state === INVALID_ROLE) {
    return refusal('INVALID_SETTING', `the role "${role}" may do more than work on tables, by itself or as a member of another role; name a role of the service's own in DATABASE_URL`, { cause: thrown });
  }
  if (state !== INSUFFICIENT_PRIVILEGE) return thrown;
  const sentence = `the owner may not make the role "${role}"; give it CREATEROLE, or make the role by hand: CREATE ROLE "${role}" LOGIN PASSWORD '…'`;
  return refusal('DATABASE_UNAVAILABLE', sentence, { cause: thrown });
}
