import { performance } from 'node:perf_hooks';

/**
 * How far the event loop is into its current turn. Calls that arrive while a handler computes stand in the socket, where
 * no limit sees them; the loop's next turn reads them all and serves one after another. So a call waits for what its turn has
 * served before it, and a turn that lasts is the queue of a process that is short of CPU. Where a turn lasts long only
 * because of one slow computation, the next turn is a new one.
 */
export interface LoopTurn {
  /** Milliseconds from the first call that asked in this turn until `nowMs`, give or take 10. */
  ageMs(nowMs: number): number;
}

/** How many turns the event loop of this process has had. Costs 0.1 µs, and needs no timer that would wake an idle process. */
const turnsOfThisProcess = (): number => performance.nodeTiming.uvMetricsInfo.loopCount;

/** As long as turns are shorter than this, they are counted no more often. */
const GRAIN_MS = 10;

/** One for each process, for all of its services share the loop. */
export function createLoopTurn(countTurns: () => number = turnsOfThisProcess): LoopTurn {
  let turn = -1;
  let startedMs = -Infinity;
  let countedMs = -Infinity;
  return {
    ageMs(nowMs) {
      // Where the last count was a moment ago and its turn a new one, this one is new enough.
      if (nowMs >= countedMs && nowMs - countedMs < GRAIN_MS && countedMs - startedMs < GRAIN_MS) return countedMs - startedMs;
      const now = countTurns();
      if (now !== turn) startedMs = nowMs;
      turn = now;
      countedMs = nowMs;
      return nowMs - startedMs;
    },
  };
}
