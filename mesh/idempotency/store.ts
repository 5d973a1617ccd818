/**
 * A transaction in the database of the service that has the effect. The mesh hands it from the handler to the store and
 * does nothing with it.
 */
export interface EffectTransaction {
  query<Row extends object>(statement: { readonly name: string; readonly text: string }, values: readonly unknown[]): Promise<Row[]>;
}

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
  /** Whether it asked for the same. */
  readonly sameRequest: boolean;
  /** Id of the resource that it made; empty when its answer is what counts. */
  readonly resourceId: string;
  /** The bytes of its answer; null until there is one. */
  readonly answer: Uint8Array | null;
  /** Whether whoever claimed the key may still be at work on the answer. */
  readonly isHeld: boolean;
}

/** A request, and the id of the resource that it is about to make. No other request's is called so. */
export interface ResourceRequest {
  readonly request: KeyedRequest;
  readonly resourceId: string;
}

/** `hold` tells this claim of the key from later ones, which can be when this one did not come to its answer in time. */
export type Claim = { readonly claimed: true; readonly hold: bigint } | { readonly claimed: false; readonly first: FirstRequest };

/**
 * Remembers which keys have had their effect: the port that a service's database implements. A key's claim and answer stand
 * in the transactions of the effect itself, so that both are there or none.
 */
export interface IdempotencyStore {
  /**
   * Claims a key in the first transaction of its effect, for an answer that comes in `holdMs` at most. Waits for another
   * transaction that is about to claim the same key, `waitMs` at most: the key is taken if that one commits, and free if it
   * rolls back. A key that is not held any more, since whoever held it died or was too slow, is claimed anew.
   */
  claim(tx: EffectTransaction, request: KeyedRequest, holdMs: number, waitMs: number): Promise<Claim>;
  /**
   * Claims the keys of requests, of several calls perhaps, in the transaction that makes their resources. Answers each, in
   * their order: undefined when its key is claimed for it, else what became of the first request with its key, which may be
   * another one of these. Waits as `claim` does, for each key; DEADLINE_EXCEEDED when it cannot have one of them in time.
   */
  claimResources(tx: EffectTransaction, requests: readonly ResourceRequest[], waitMs: number): Promise<readonly (FirstRequest | undefined)[]>;
  /** Stores the answer in the last transaction of its effect; false when the key has been claimed anew meanwhile. */
  conclude(tx: EffectTransaction, request: KeyedRequest, hold: bigint, answer: Uint8Array): Promise<boolean>;
  /** What became of the first request with the key; undefined while nobody's claim was committed. */
  find(request: KeyedRequest): Promise<FirstRequest | undefined>;
}
