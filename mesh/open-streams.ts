import type { MeshError } from '#kit';

import { type Done, type Invoke, type ServerCall, whenDone } from './call.ts';

/** Streams that were let in. They may last for hours, and what let them in may go meanwhile. */
export interface OpenStreams {
  readonly size: number;
  /** Keeps each call of `next` until it is over. */
  keeping(next: Invoke<ServerCall>): Invoke<ServerCall>;
  /** Ends those that `why` has a reason for. Returns how many. */
  end(why: (call: ServerCall) => MeshError | undefined): number;
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<ServerCall>();
  const done: Done<ServerCall> = (_error, call) => void open.delete(call);
  return {
    get size() {
      return open.size;
    },
    keeping: (next) => (call) => {
      open.add(call);
      return whenDone(next, call, done);
    },
    end(why) {
      let ended = 0;
      for (const call of open) {
        const reason = why(call);
        if (!reason) continue;
        // A handler that does not listen keeps its call open; it is not judged again.
        open.delete(call);
        call.lifetime.end(reason);
        ended += 1;
      }
      return ended;
    },
  };
}
