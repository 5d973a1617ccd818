import { backoffMs, type Clock, type Random } from '#kit';

import { isBrokenOff, isStalePlan } from './database-errors.ts';

const MAX_REPEATS = 3;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;

/**
 * Runs `work`, one statement or one transaction, again when Postgres broke it off in
 * favour of another: 3 times at most, after about 10, 20, 40 ms. Also, at once, when a
 * migration outdated a prepared statement; each time that closes one old connection.
 */
export async function repeatBrokenOff<T>(work: () => Promise<T>, clock: Clock, random: Random): Promise<T> {
  let repeats = 0;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      if (isStalePlan(thrown)) continue;
      if (repeats === MAX_REPEATS || !isBrokenOff(thrown)) throw thrown;
    }
    repeats += 1;
    await clock.sleep(backoffMs(repeats, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random));
  }
}
