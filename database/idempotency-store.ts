import { refusal } from '#kit';

import { sqlState } from './database-errors.ts';
import { CLAIM, CONCLUDE, FIND } from './idempotency.ts';
import type { Queryable } from './statement.ts';

/** A request as its idempotency key names it. Keys of two methods, or of two callers, never meet. */
export interface KeyedRequest {
  /** Full method name, such as `shop.order.v1.OrderService/PlaceOrder`. */
  readonly method: string;
  readonly caller: string;
  readonly key: string;
  /** Hash of the request without its key: tells a resend from another request under the same key. */
  readonly requestHash: Uint8Array;
}

/** What became of the first request with a key. */
export interface FirstRequest {
  readonly sameRequest: boolean;
  /** Id of what it made; empty when its answer is what counts. */
  readonly resourceId: string;
  /** Null until there is one. */
  readonly answer: Uint8Array | null;
  /** Whether whoever claimed the key may still be at work on the answer. */
  readonly isHeld: boolean;
}

/** What the key is claimed for: a resource made in the same transaction, or an answer that is stored in so long at most. */
export type KeyPurpose = { readonly kind: 'resource'; readonly resourceId: string } | { readonly kind: 'answer'; readonly holdMs: number };

/** `hold` tells this claim from later ones of the same key. */
export type KeyClaim = { readonly claimed: true; readonly hold: bigint } | { readonly claimed: false; readonly first: FirstRequest };

/** Remembers which idempotency keys have had their effect. Fits the port of that name in `mesh`. */
export interface IdempotencyStore {
  /**
   * Claims a key in the transaction that has the request's effect, or begins it, so that either both happen or none. While
   * another transaction claims the same key this waits for its end, `waitMs` at most: if it commits, the key is taken; if it
   * rolls back, the key is ours. Needs READ COMMITTED to see what the other one committed.
   */
  claim(tx: Queryable, request: KeyedRequest, purpose: KeyPurpose, waitMs: number): Promise<KeyClaim>;
  /** Stores the answer; false when the key has been claimed anew since. */
  conclude(tx: Queryable, request: KeyedRequest, hold: bigint, answer: Uint8Array): Promise<boolean>;
  /** Undefined while nobody has claimed the key. */
  find(request: KeyedRequest): Promise<FirstRequest | undefined>;
}

const LOCK_NOT_AVAILABLE = '55P03';
/** The longest wait that Postgres knows, 24 days. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
/** Only a key that is swept between two statements has to be claimed once more. */
const MAX_CLAIMS = 3;

/** The keys of a service, in its own schema. The table comes with `idempotencyMigrations`. */
export function createIdempotencyStore(database: Queryable): IdempotencyStore {
  return {
    async claim(tx, request, purpose, waitMs) {
      for (let claims = 0; claims < MAX_CLAIMS; claims += 1) {
        const [claimed] = await insert(tx, request, purpose, waitMs);
        if (claimed) return { claimed: true, hold: claimed.hold };
        const first = await find(tx, request);
        if (first) return { claimed: false, first };
      }
      throw refusal('DATABASE_UNAVAILABLE', 'the idempotency key expires just now; send the request again');
    },
    async conclude(tx, { method, caller, key }, hold, answer) {
      return (await tx.query(CONCLUDE, [method, caller, key, answer, hold])).length === 1;
    },
    find: (request) => find(database, request),
  };
}

async function insert(tx: Queryable, request: KeyedRequest, purpose: KeyPurpose, waitMs: number): Promise<{ hold: bigint }[]> {
  const { method, caller, key, requestHash } = request;
  const [resourceId, holdMs] = purpose.kind === 'resource' ? [purpose.resourceId, null] : ['', purpose.holdMs];
  // 0 would be no limit at all.
  const lockTimeout = Math.min(LONGEST_WAIT_MS, Math.max(1, Math.ceil(waitMs)));
  try {
    return await tx.query<{ hold: bigint }>(CLAIM, [method, caller, key, requestHash, resourceId, holdMs, String(lockTimeout)]);
  } catch (thrown) {
    if (sqlState(thrown) !== LOCK_NOT_AVAILABLE) throw thrown;
    throw refusal('DEADLINE_EXCEEDED', 'another call with the same idempotency key was not done in time; send the same request again', { cause: thrown });
  }
}

async function find(db: Queryable, { method, caller, key, requestHash }: KeyedRequest): Promise<FirstRequest | undefined> {
  const [found] = await db.query<FirstRequest>(FIND, [method, caller, key, requestHash]);
  return found;
}
