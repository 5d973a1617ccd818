import type { Message } from '@bufbuild/protobuf';

import type { Shop } from '../../shop-fixture.ts';

/** A request to a method that may be called again, and how its effects are seen. */
export interface Sample {
  /** Sends the request, with the same key each time. */
  send(): Promise<Message>;
  /** Sends another request under that key. Left out where a request is nothing but its key. */
  sendOther?(): Promise<Message>;
  /** How another request is refused. Default: IDEMPOTENCY_KEY_REUSED. */
  readonly refusal?: string;
  /** What the effect left behind, wherever that stands in books. */
  books(): Promise<unknown>;
  /** The same when the effect was had once. */
  readonly once: unknown;
  /** Something else that happens to the resource, and what the books say then. Its answer holds the resource as it is now. */
  readonly later?: { do(): Promise<Message>; readonly books: unknown };
}

/** Prepares what a sample needs, which no other test shares. By full method name. */
export type Samples = Readonly<Record<string, (shop: Shop) => Promise<Sample>>>;
