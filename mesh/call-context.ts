import { type Context, context, createContextKey } from '@opentelemetry/api';

import type { Headers, HeaderValue } from './headers.ts';
import type { Effect } from './idempotency/effect.ts';
import type { AccessToken } from './identity/access-token.ts';
import type { Ownership } from './identity/ownership.ts';
import type { Peer } from './identity/peer.ts';

/** What a handler may know of the call it serves, and what the calls it makes inherit. */
export interface CallContext {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Aborts when the caller went away or the deadline passed. */
  readonly signal: AbortSignal;
  /** Who calls. One object for each connection. */
  readonly peer: Peer;
  /** The person on whose behalf the call is made; undefined where no verified token says so. */
  readonly user?: AccessToken | undefined;
  /** What the handler asks of a call that is for the owner alone; undefined where it is not. */
  readonly ownership?: Ownership | undefined;
  /** What the call's idempotency key stands for; undefined when it has none. */
  readonly effect?: Effect | undefined;
  /** The first value of a request header, if it is text. */
  header(name: string): string | undefined;
  /** Every request header. */
  allHeaders(): Headers;
  /** Adds a value to the headers that go out ahead of the first answer; no effect after it. */
  setHeader(name: string, value: HeaderValue): void;
  /** Adds a value to what goes out behind the last answer. */
  setTrailer(name: string, value: HeaderValue): void;
}

// The call context rides in the OpenTelemetry context, so one AsyncLocalStorage entry carries both.
const CALL = createContextKey('shopmesh call context');

export function withCallContext(base: Context, call: CallContext): Context {
  return base.setValue(CALL, call);
}

/** The call being served here, if any. */
export function currentCall(base: Context = context.active()): CallContext | undefined {
  // Only withCallContext writes under this key.
  return base.getValue(CALL) as CallContext | undefined;
}
