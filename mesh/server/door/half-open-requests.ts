import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';

import type { Clock } from '#kit';

import type { EndCall } from './http2-calls.ts';
import type { DoorLimits } from './limits.ts';

/** Requests that have begun and may not have ended yet. */
export interface HalfOpenRequests {
  add(stream: ServerHttp2Stream, path: string | undefined): void;
  delete(stream: ServerHttp2Stream): void;
  /** Cancels those that take too long, and forgets those that have ended. */
  sweep(): void;
}

export interface HalfOpenRequestsOptions {
  readonly limits: Pick<DoorLimits, 'requestMs' | 'maxHalfOpen'>;
  /** Whether requests to a path are one message, and so end by themselves; of others, such as reflection's, the first message counts. */
  readonly ends: (path: string) => boolean;
  readonly end: EndCall;
  readonly clock: Clock;
  readonly onCancel: () => void;
}

interface Pending {
  readonly sinceMs: number;
  /** Whether the request is one message, so that it ends before it is answered. */
  readonly ends: boolean;
  readonly session: Http2Session | undefined;
}

/**
 * Resetting frees a request's slot on its connection and in grpc-js, which an answer would not; gRPC clients read the code
 * as RESOURCE_EXHAUSTED.
 */
export function createHalfOpenRequests({ limits, ends, end, clock, onCancel }: HalfOpenRequestsOptions): HalfOpenRequests {
  // Oldest first, as maps are.
  const pending = new Map<ServerHttp2Stream, Pending>();
  /** Whether room is about to be made. */
  let crowded = false;

  function forgetComplete(): void {
    for (const [stream, { ends: toItsEnd }] of pending) if (isComplete(stream, toItsEnd)) pending.delete(stream);
  }

  function cancel(stream: ServerHttp2Stream): void {
    pending.delete(stream);
    end(stream, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    onCancel();
  }

  function makeRoom(): void {
    crowded = false;
    forgetComplete();
    if (pending.size <= limits.maxHalfOpen) return;
    const counts = new Map<Http2Session | undefined, number>();
    for (const { session } of pending.values()) counts.set(session, (counts.get(session) ?? 0) + 1);
    const share = fairShare([...counts.values()], limits.maxHalfOpen);
    for (const [stream, { session }] of pending) {
      if (pending.size <= limits.maxHalfOpen) return;
      const count = counts.get(session) ?? 0;
      if (count <= share) continue;
      counts.set(session, count - 1);
      cancel(stream);
    }
  }

  return {
    add(stream, path) {
      pending.set(stream, { sinceMs: clock.now(), ends: path !== undefined && ends(path), session: stream.session });
      if (crowded || pending.size <= limits.maxHalfOpen) return;
      crowded = true;
      // Requests that came together, as after a stall, come to their ends within this turn of the event loop.
      setImmediate(makeRoom);
    },
    delete: (stream) => void pending.delete(stream),
    sweep() {
      forgetComplete();
      const before = clock.now() - limits.requestMs;
      for (const [stream, { sinceMs }] of pending) {
        if (sinceMs > before) return;
        cancel(stream);
      }
    },
  };
}

/** What each may have so that all have `max` together and nobody less than it wants while another has more: of [5, 400, 900] and 1,000 it is 595. */
function fairShare(counts: readonly number[], max: number): number {
  let left = max;
  let others = counts.length;
  for (const count of counts.toSorted((one, other) => one - other)) {
    if (count * others > left) return Math.floor(left / others);
    left -= count;
    others -= 1;
  }
  return max;
}

function isComplete(stream: ServerHttp2Stream, toItsEnd: boolean): boolean {
  return stream.destroyed || (toItsEnd ? stream.readableEnded : stream.readableDidRead);
}
