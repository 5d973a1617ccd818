import { HTTPException } from 'hono/http-exception';
import type { Clock } from '#kit';

import { LIMITS } from './limits.ts';

/** Lets requests wait for a change. */
export interface Changes {
  /** Something changed: everybody who waits looks again. */
  notify(): void;
  /** Resolves when `isDone()` holds after a change, when the time is over, or when the signal aborts. Refuses with 429 when too many wait. */
  until(isDone: () => boolean, waitMs: number, signal: AbortSignal): Promise<void>;
  /** Lets everybody go. */
  release(): void;
}

export function createChanges(clock: Clock): Changes {
  const waiting = new Map<() => void, () => void>();

  return {
    notify: () => {
      for (const look of [...waiting.keys()]) look();
    },
    until: async (isDone, waitMs, signal) => {
      if (isDone() || signal.aborted) return;
      if (waiting.size >= LIMITS.waitingRequests) {
        throw new HTTPException(429, { message: `more than ${LIMITS.waitingRequests} requests wait for changes; share watches` });
      }
      const timer = new AbortController();
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          waiting.delete(look);
          signal.removeEventListener('abort', finish);
          timer.abort();
          resolve();
        };
        const look = (): void => {
          if (isDone()) finish();
        };
        waiting.set(look, finish);
        signal.addEventListener('abort', finish, { once: true });
        clock.sleep(waitMs, timer.signal).then(finish, () => undefined);
      });
    },
    release: () => {
      for (const finish of [...waiting.values()]) finish();
    },
  };
}
