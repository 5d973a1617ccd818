import { constants, type ServerHttp2Stream } from 'node:http2';

import type { Clock } from '#kit';

import type { DoorLimits } from './limits.ts';

/** Requests that have begun and may not have ended yet. */
export interface HalfOpenRequests {
  add(stream: ServerHttp2Stream, path: string | undefined): void;
  delete(stream: ServerHttp2Stream): void;
  /** Cancels those that take too long, and forgets those that have ended. */
  sweep(): void;
}

interface Pending {
  readonly sinceMs: number;
  /** Whether the request is one message, so that it ends before it is answered. */
  readonly ends: boolean;
}

/**
 * Resetting frees a request's slot on its connection and in grpc-js, which an answer would not; gRPC clients read the code
 * as RESOURCE_EXHAUSTED. `ends` tells for a path whether its requests come to an end by themselves; for others, such as
 * reflection's, the first message is what counts.
 */
export function createHalfOpenRequests(
  limits: Pick<DoorLimits, 'requestMs' | 'maxHalfOpen'>,
  ends: (path: string) => boolean,
  clock: Clock,
  onCancel: () => void,
): HalfOpenRequests {
  // Oldest first, as maps are.
  const pending = new Map<ServerHttp2Stream, Pending>();
  /** Whether room is about to be made. */
  let crowded = false;

  function forgetComplete(): void {
    for (const [stream, { ends: toItsEnd }] of pending) if (isComplete(stream, toItsEnd)) pending.delete(stream);
  }

  function cancel(stream: ServerHttp2Stream): void {
    pending.delete(stream);
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    onCancel();
  }

  function makeRoom(): void {
    crowded = false;
    forgetComplete();
    for (const stream of pending.keys()) {
      if (pending.size <= limits.maxHalfOpen) return;
      cancel(stream);
    }
  }

  return {
    add(stream, path) {
      pending.set(stream, { sinceMs: clock.now(), ends: path !== undefined && ends(path) });
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

function isComplete(stream: ServerHttp2Stream, toItsEnd: boolean): boolean {
  return stream.destroyed || (toItsEnd ? stream.readableEnded : stream.readableDidRead);
}
