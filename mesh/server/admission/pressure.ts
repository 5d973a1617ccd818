import { jitter, type Random } from '#kit';

/** How many of the last calls the pressure looks back on, roughly. */
const MEMORY = 64;
/** What a caller is asked to wait where hardly anybody is refused. */
const BASE_MS = 50;
const MAX_MS = 2_000;

/**
 * What share of the calls is refused now, and so how long whoever is refused had better wait: at a share of 0
 * 50 ms, at a half (twice the load) 100 ms, at nine of ten 500 ms, 2 s at most, each ±20 % so that they do not come back
 * together. Retries that wait so long add about as much load at every share.
 */
export interface Pressure {
  passed(): void;
  refused(): void;
  /** When to come back. */
  afterMs(): number;
}

export function createPressure(random: Random): Pressure {
  let share = 0;
  return {
    passed() {
      share -= share / MEMORY;
    },
    refused() {
      share += (1 - share) / MEMORY;
    },
    afterMs: () => Math.round(jitter(Math.min(MAX_MS, BASE_MS / (1 - share)), random)),
  };
}
