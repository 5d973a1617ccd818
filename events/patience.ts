import { type Clock, MeshError, type Random } from '#kit';

import { isOutage } from './outages.ts';

export interface PatienceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Tries of an event that is refused, or fails by a fault, until it is a dead letter. Default 8: 6 s on average, 13 at most. */
  readonly maxTries?: number;
  /** How long an event waits for what another one must bring. Default 60,000. */
  readonly tooEarlyMs?: number;
  /** The pause after a first failed try is up to so long, and up to twice as long with every further one (full jitter). Default 100. */
  readonly firstPauseMs?: number;
  /** The longest it gets; in an outage, and for an event that is too early, 2,000 at most. Default 10,000. */
  readonly longestPauseMs?: number;
}

/** What is over must not be slept through: events are to have their effects within seconds of it. */
const LONGEST_WAIT_MS = 2_000;

/** What has become of one event so far. */
export interface Patience {
  /** Tries that failed. */
  readonly tries: number;
  /** Takes note of a failed try. True: it is worth another one, after `pause`. */
  worthAnother(thrown: unknown): boolean;
  pause(signal: AbortSignal): Promise<void>;
}

/** How often one event is tried, by what its tries fail of. An outage does not count, however long it lasts: it is no fault of the event. */
export function createPatience({ clock, random, maxTries = 8, tooEarlyMs = 60_000, firstPauseMs = 100, longestPauseMs = 10_000 }: PatienceOptions): Patience {
  const beganAt = clock.now();
  let tries = 0;
  let counted = 0;
  let isWaiting = false;

  return {
    get tries() {
      return tries;
    },
    worthAnother(thrown) {
      const error = MeshError.from(thrown);
      tries += 1;
      isWaiting = isOutage(error) || error.reason === 'EVENT_TOO_EARLY';
      if (isWaiting) return isOutage(error) || clock.now() - beganAt < tooEarlyMs;
      counted += 1;
      return error.reason !== 'EVENT_UNREADABLE' && counted < maxTries;
    },
    async pause(signal) {
      const longestMs = Math.min(isWaiting ? LONGEST_WAIT_MS : longestPauseMs, longestPauseMs, firstPauseMs * 2 ** Math.min(tries - 1, 30));
      await clock.sleep(random.number() * longestMs, signal).catch(() => undefined);
    },
  };
}
