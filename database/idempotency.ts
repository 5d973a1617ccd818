import { fileURLToPath } from 'node:url';

import type { MigrationComponent } from './migration-files.ts';
import type { Statement } from './statement.ts';

/** Creates the table `idempotency_key`; goes into the schema of each service that keeps keys beside its own tables. */
export const idempotencyMigrations: MigrationComponent = {
  name: 'idempotency',
  directory: fileURLToPath(new URL('migrations/idempotency', import.meta.url)),
};

// A key that was held for an answer, and that nobody is at work on any more, is claimed anew.
const IF_LET_GO = 'WHERE k.answer IS NULL AND k.held_until < now() AND k.request_hash = excluded.request_hash';

// The primary key makes a second claim wait for the end of the first one's transaction; the lock's timeout, which lasts as
// long as the transaction, lets it wait no longer than its caller does.
export const CLAIM: Statement = {
  name: 'idempotency.claim',
  text: `INSERT INTO idempotency_key AS k (method, caller, key, request_hash, resource_id, held_until)
         SELECT $1::text, $2::text, $3::text, $4::bytea, '', now() + $5::double precision * interval '1 millisecond'
           FROM set_config('lock_timeout', $6::text, true)
         ON CONFLICT (method, caller, key) DO UPDATE SET held_until = excluded.held_until, created_at = now() ${IF_LET_GO}
         RETURNING (extract(epoch FROM held_until) * 1000000)::bigint AS hold`,
};

// Keys are claimed in one order, so that no two groups wait for each other; of a key that comes twice the first one claims it.
// The aggregate is there before what stands beside it, so the timeout ends with the claims: nothing that the transaction does
// after them, its COMMIT least of all, is to fail for so short a wait. Returns one row.
export const CLAIM_RESOURCES: Statement = {
  name: 'idempotency.claim_resources',
  text: `WITH claimed AS (
           INSERT INTO idempotency_key AS k (method, caller, key, request_hash, resource_id)
           SELECT DISTINCT ON (method, caller, key) method, caller, key, request_hash, resource_id
             FROM set_config('lock_timeout', $6::text, true),
               unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[]) WITH ORDINALITY AS given (method, caller, key, request_hash, resource_id, place)
             ORDER BY method, caller, key, place
           ON CONFLICT (method, caller, key) DO UPDATE SET resource_id = excluded.resource_id, held_until = NULL, created_at = now() ${IF_LET_GO}
           RETURNING resource_id)
         SELECT coalesce(array_agg(resource_id), '{}') AS "resourceIds", set_config('lock_timeout', '0', true) FROM claimed`,
};

// The LIMIT, which is how many there are, leads the planner to the primary key, also when it first sees the table empty.
export const FIND: Statement = {
  name: 'idempotency.find',
  text: `SELECT place::integer AS place, resource_id AS "resourceId", k.request_hash = asked.request_hash AS "sameRequest", answer, coalesce(held_until > now(), false) AS "isHeld"
         FROM (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS given (method, caller, key, request_hash, place) LIMIT $5) AS asked
           JOIN idempotency_key AS k USING (method, caller, key)`,
};

// Whoever claims a key anew holds it longer than the one before did: the time says whose claim it is.
export const CONCLUDE: Statement = {
  name: 'idempotency.conclude',
  text: `UPDATE idempotency_key SET answer = $4
         WHERE method = $1 AND caller = $2 AND key = $3 AND answer IS NULL
           AND (extract(epoch FROM held_until) * 1000000)::bigint = $5
         RETURNING true AS concluded`,
};

// What another instance is sweeping, or a repeat has locked, is left to it.
export const SWEEP: Statement = {
  name: 'idempotency.sweep',
  text: `DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY (
           SELECT ctid FROM idempotency_key WHERE created_at < now() - $1::double precision * interval '1 millisecond'
           ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))
         RETURNING true AS swept`,
};
