import { refusal } from '#kit';

/** Work that so many may do at once, while others wait in their order. */
export interface Turnstile {
  /** OVERLOADED when too many wait already. Rejects with the signal's reason when it aborts before the turn has come. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export interface TurnstileOptions {
  readonly atOnce: number;
  readonly maxWaiting: number;
  /** What is waited for, in words. */
  readonly what: string;
}

/** What a caller who is turned away is told to wait: about the time in which a few turns come free. */
const RETRY_AFTER_MS = 200;

export function createTurnstile({ atOnce, maxWaiting, what }: TurnstileOptions): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;

  function enter(signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted();
    if (inside < atOnce) {
      inside += 1;
      return undefined;
    }
    if (waiting.length < maxWaiting) return turnOf(signal);
    throw refusal('OVERLOADED', `too many wait for ${what} here; try again in ${RETRY_AFTER_MS} ms`, { retry: { kind: 'not-started', afterMs: RETRY_AFTER_MS } });
  }

  function turnOf(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.push(begin);
    });
  }

  /** Whoever waits takes the place over, so that nobody who comes now slips in between. */
  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else inside -= 1;
  }

  return {
    async run(work, signal) {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
