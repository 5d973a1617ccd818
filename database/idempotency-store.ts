import { type MeshError, refusal } from '#kit';

import { sqlState } from './database-errors.ts';
import { CLAIM, CLAIM_RESOURCES, CONCLUDE, FIND } from './idempotency.ts';
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

/** A request, and the id of the resource that it is about to make. No other request's is called so. */
export interface ResourceRequest {
  readonly request: KeyedRequest;
  readonly resourceId: string;
}

/** `hold` tells this claim from later ones of the same key. */
export type KeyClaim = { readonly claimed: true; readonly hold: bigint } | { readonly claimed: false; readonly first: FirstRequest };

/** Remembers which idempotency keys have had their effect. Fits the port of that name in `mesh`. */
export interface IdempotencyStore {
  /**
   * Claims a key in the transaction that begins the request's effect, for an answer that is stored in `holdMs` at most. While
   * another transaction claims the same key this waits for its end, `waitMs` at most: if it commits, the key is taken; if it
   * rolls back, the key is ours. Needs READ COMMITTED to see what the other one committed.
   */
  claim(tx: Queryable, request: KeyedRequest, holdMs: number, waitMs: number): Promise<KeyClaim>;
  /**
   * Claims the keys of requests in the transaction that makes their resources, so that both happen or none. Answers each, in
   * their order: undefined when its key is claimed for it, else what the first request with its key has made, which may be
   * another one of these. Waits as `claim` does, for each key; throws when it cannot have one of them in time.
   */
  claimResources(tx: Queryable, requests: readonly ResourceRequest[], waitMs: number): Promise<readonly (FirstRequest | undefined)[]>;
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
    async claim(tx, request, holdMs, waitMs) {
      for (let claims = 0; claims < MAX_CLAIMS; claims += 1) {
        const hold = await insert(tx, request, holdMs, waitMs);
        if (hold !== undefined) return { claimed: true, hold };
        const [first] = await find(tx, [request]);
        if (first) return { claimed: false, first };
      }
      throw expiresJustNow();
    },
    async claimResources(tx, requests, waitMs) {
      const firsts = new Map<ResourceRequest, FirstRequest>();
      let open = requests;
      for (let claims = 0; open.length > 0; claims += 1) {
        if (claims === MAX_CLAIMS) throw expiresJustNow();
        const claimed = await insertAll(tx, open, waitMs);
        const taken = open.filter(({ resourceId }) => !claimed.has(resourceId));
        const found = await find(tx, taken.map(({ request }) => request));
        taken.forEach((one, index) => {
          const first = found[index];
          if (first) firsts.set(one, first);
        });
        open = taken.filter((one) => !firsts.has(one));
      }
      return requests.map((one) => firsts.get(one));
    },
    async conclude(tx, { method, caller, key }, hold, answer) {
      return (await tx.query(CONCLUDE, [method, caller, key, answer, hold])).length === 1;
    },
    find: async (request) => (await find(database, [request]))[0],
  };
}

async function insert(tx: Queryable, { method, caller, key, requestHash }: KeyedRequest, holdMs: number, waitMs: number): Promise<bigint | undefined> {
  const values = [method, caller, key, requestHash, holdMs, lockTimeout(waitMs)];
  return (await inTime(tx.query<{ hold: bigint }>(CLAIM, values)))[0]?.hold;
}

/** The ids of those that have got their keys. */
async function insertAll(tx: Queryable, requests: readonly ResourceRequest[], waitMs: number): Promise<ReadonlySet<string>> {
  const values = [...columnsOf(requests.map(({ request }) => request)), requests.map(({ resourceId }) => resourceId), lockTimeout(waitMs)];
  const [claimed] = await inTime(tx.query<{ resourceIds: string[] }>(CLAIM_RESOURCES, values));
  return new Set(claimed?.resourceIds);
}

/** What became of the first requests with these keys, in their order. */
async function find(db: Queryable, requests: readonly KeyedRequest[]): Promise<(FirstRequest | undefined)[]> {
  if (requests.length === 0) return [];
  const rows = await db.query<FirstRequest & { place: number }>(FIND, [...columnsOf(requests), requests.length]);
  const found = new Map(rows.map(({ place, ...first }) => [place - 1, first]));
  return requests.map((_, index) => found.get(index));
}

function columnsOf(requests: readonly KeyedRequest[]): unknown[][] {
  return [
    requests.map(({ method }) => method),
    requests.map(({ caller }) => caller),
    requests.map(({ key }) => key),
    requests.map(({ requestHash }) => requestHash),
  ];
}

/** As Postgres reads it, to whom 0 would be no limit at all. */
function lockTimeout(waitMs: number): string {
  return String(Math.min(LONGEST_WAIT_MS, Math.max(1, Math.ceil(waitMs))));
}

async function inTime<T>(claim: Promise<T>): Promise<T> {
  try {
    return await claim;
  } catch (thrown) {
    if (sqlState(thrown) !== LOCK_NOT_AVAILABLE) throw thrown;
    throw refusal('DEADLINE_EXCEEDED', 'another call with the same idempotency key was not done in time; send the same request again', { cause: thrown });
  }
}

function expiresJustNow(): MeshError {
  return refusal('DATABASE_UNAVAILABLE', 'the idempotency key expires just now; send the request again');
}
