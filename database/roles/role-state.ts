import type { Queryable, Statement } from '../statement.ts';

/** What the role behind a connection may do beyond its work. */
export interface RoleState {
  readonly role: string;
  /** It may change and drop the tables it works on, and whatever guards them: it owns them, or is a superuser. */
  readonly ownsTables: boolean;
  /** Schemas out of those asked for that it may use besides its own. */
  readonly siblings: readonly string[];
}

const ROLE_STATE: Statement = {
  name: 'role.state',
  text: `SELECT current_user::text AS role,
                own.oid IS NOT NULL AND (pg_has_role(own.nspowner, 'USAGE') OR has_schema_privilege(own.oid, 'CREATE')) AS "ownsTables",
                ARRAY(SELECT nspname::text FROM pg_namespace WHERE nspname = ANY($2::text[]) AND nspname <> $1 AND has_schema_privilege(oid, 'USAGE') ORDER BY 1) AS siblings
         FROM (SELECT $1::text AS asked) AS asked LEFT JOIN pg_namespace AS own ON own.nspname = asked.asked`,
};

/**
 * @param schema where the role works
 * @param schemas of which it should be able to use no other one
 */
export async function readRoleState(database: Queryable, schema: string, schemas: readonly string[]): Promise<RoleState> {
  const [state] = await database.query<RoleState>(ROLE_STATE, [schema, schemas]);
  return state ?? { role: '', ownsTables: false, siblings: [] };
}
