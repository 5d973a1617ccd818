import { performance } from 'node:perf_hooks';

/**
 * How far the event loop is into its current turn. Calls that arrive while a handler computes stand in the socket, where
 * no limit sees them; the loop's next turn reads them all and serves one after another. So a call waits for what its turn has
 * served before it, and a turn that lasts is the queue of a process that is short of CPU. Where a turn lasts long only
 * because of one slow computation, the next turn is a new one; and where the machine gave the process no CPU, nothing was
 * served either: what counts is the time that the process has used.
 */
export interface LoopTurn {
  /** Milliseconds that the process has worked from the first call that asked in this turn until `nowMs`, give or take 10. */
  ageMs(nowMs: number): number;
}

/** What a process knows of its own event loop. */
export interface LoopCounts {
  /** How many turns it has had. Costs 0.1 µs, and needs no timer that would wake an idle process. */
  turns(): number;
  /** Milliseconds of CPU that its thread has used. Costs 0.4 µs. */
  cpuMs(): number;
}

const thisProcess: LoopCounts = {
  turns: () => performance.nodeTiming.uvMetricsInfo.loopCount,
  cpuMs() {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  },
};

/** As long as turns are shorter than this, they are counted no more often, and their CPU time is not asked for. */
const GRAIN_MS = 10;

/** One for each process, for all of its services share the loop. */
export function createLoopTurn({ turns, cpuMs }: LoopCounts = thisProcess): LoopTurn {
  let turn = -1;
  let startedMs = -Infinity;
  let countedMs = -Infinity;
  let usedMs: number | undefined;
  return {
    ageMs(nowMs) {
      // Where the last count was a moment ago and its turn a new one, this one is new enough.
      if (nowMs - countedMs < GRAIN_MS && countedMs - startedMs < GRAIN_MS) return countedMs - startedMs;
      const now = turns();
      if (now !== turn) {
        startedMs = nowMs;
        usedMs = undefined;
      }
      turn = now;
      countedMs = nowMs;
      const ageMs = nowMs - startedMs;
      if (ageMs < GRAIN_MS) return ageMs;
      usedMs ??= cpuMs() - GRAIN_MS;
      return Math.min(ageMs, cpuMs() - usedMs);
    },
  };
}
