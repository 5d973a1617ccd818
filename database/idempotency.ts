import { fileURLToPath } from 'node:url';

import { refusal } from '#kit';

import type { MigrationComponent } from './migration-files.ts';
import type { Queryable, Statement, Transaction } from './statement.ts';

/** A request as its sender knows it. */
export interface KeyClaim {
  /** Full method name, such as `shop.order.v1.OrderService/PlaceOrder`. */
  readonly method: string;
  /** Who sent it; keys of two callers never meet. */
  readonly caller: string;
  /** The idempotency key, such as the `request_id`. */
  readonly key: string;
  /** Hash of the request without its key: tells a resend from another request under the same key. */
  readonly requestHash: Uint8Array;
  /** What this transaction is about to create. */
  readonly resourceId: string;
}

export type KeyClaimResult =
  | { readonly claimed: true }
  | {
      readonly claimed: false;
      /** What the first request with this key created. */
      readonly resourceId: string;
      readonly sameRequest: boolean;
    };

/** Creates the table `idempotency_key`; goes into the schema of each service that claims keys. */
export const idempotencyMigrations: MigrationComponent = {
  name: 'idempotency',
  directory: fileURLToPath(new URL('migrations/idempotency', import.meta.url)),
};

const insertKey: Statement = {
  name: 'idempotency.claim',
  text: `INSERT INTO idempotency_key (method, caller, key, request_hash, resource_id)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING true AS claimed`,
};

const findKey: Statement = {
  name: 'idempotency.find',
  text: `SELECT resource_id AS "resourceId", request_hash = $4 AS "sameRequest"
         FROM idempotency_key WHERE method = $1 AND caller = $2 AND key = $3`,
};

/** What the first request with a key created, and whether that was this request; undefined when nobody has claimed the key. */
export async function findClaim(db: Queryable, claim: Omit<KeyClaim, 'resourceId'>): Promise<{ resourceId: string; sameRequest: boolean } | undefined> {
  const { method, caller, key, requestHash } = claim;
  const [found] = await db.query<{ resourceId: string; sameRequest: boolean }>(findKey, [method, caller, key, requestHash]);
  return found;
}

/**
 * Claims a key in the transaction that has the request's effect, so that either both
 * happen or none. While another transaction holds the same key this waits for its
 * end: if it commits, the key is taken; if it rolls back, the key is ours. Needs
 * READ COMMITTED to see what the other one committed.
 */
export async function claimKey(tx: Transaction, claim: KeyClaim): Promise<KeyClaimResult> {
  const { method, caller, key, requestHash, resourceId } = claim;
  const inserted = await tx.query<{ claimed: true }>(insertKey, [method, caller, key, requestHash, resourceId]);
  if (inserted.length > 0) return { claimed: true };
  const first = await findClaim(tx, claim);
  // Only a key that is deleted between the two statements gets here.
  if (first === undefined) {
    throw refusal('DATABASE_UNAVAILABLE', 'the idempotency key has just expired; send the request again');
  }
  return { claimed: false, ...first };
}
