import { fileURLToPath } from 'node:url';

import type { MigrationComponent } from './migration-files.ts';
import type { Statement } from './statement.ts';

/** Creates the table `idempotency_key`; goes into the schema of each service that keeps keys beside its own tables. */
export const idempotencyMigrations: MigrationComponent = {
  name: 'idempotency',
  directory: fileURLToPath(new URL('migrations/idempotency', import.meta.url)),
};

// The primary key makes a second claim wait for the end of the first one's transaction; the lock's timeout, which lasts as
// long as the transaction, lets it wait no longer than its caller does. A key that nobody is at work on is claimed anew.
export const CLAIM: Statement = {
  name: 'idempotency.claim',
  text: `INSERT INTO idempotency_key AS k (method, caller, key, request_hash, resource_id, held_until)
         SELECT $1::text, $2::text, $3::text, $4::bytea, $5::text, now() + $6::double precision * interval '1 millisecond'
           FROM set_config('lock_timeout', $7::text, true)
         ON CONFLICT (method, caller, key) DO UPDATE SET held_until = excluded.held_until, created_at = now()
           WHERE k.answer IS NULL AND k.held_until < now() AND k.request_hash = excluded.request_hash
         RETURNING coalesce((extract(epoch FROM held_until) * 1000000)::bigint, 0) AS hold`,
};

export const FIND: Statement = {
  name: 'idempotency.find',
  text: `SELECT resource_id AS "resourceId", request_hash = $4 AS "sameRequest", answer, coalesce(held_until > now(), false) AS "isHeld"
         FROM idempotency_key WHERE method = $1 AND caller = $2 AND key = $3`,
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
