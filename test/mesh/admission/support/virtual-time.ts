import type { Clock } from '#kit';

/** Time that passes only while `run` runs, as fast as what happens in it can be worked through. */
export interface VirtualTime {
  readonly clock: Clock;
  /** Milliseconds since the beginning, whatever the clock says. */
  elapsedMs(): number;
  /** What is to happen yet: timers, for one. */
  readonly planned: number;
  /** Does `what` after `ms` milliseconds. */
  after(ms: number, what: () => void): void;
  /** Keeps the only thread busy: nothing else happens meanwhile, and what was due happens late. */
  spend(ms: number): void;
  /** Sets the clock back; what is planned happens when it would have. */
  setBack(ms: number): void;
  /** Lets time pass until everything is over that happens before `untilMs`. */
  run(untilMs: number): Promise<void>;
}

interface Happening {
  readonly atMs: number;
  readonly what: () => void;
}

export function createVirtualTime(): VirtualTime {
  let now = 0;
  let behindMs = 0;
  /** Soonest last; of those at the same time, the one that was planned first is last. */
  const plan: Happening[] = [];

  function after(ms: number, what: () => void): void {
    const atMs = now + ms;
    let low = 0;
    let high = plan.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((plan[middle]?.atMs ?? 0) > atMs) low = middle + 1;
      else high = middle;
    }
    plan.splice(low, 0, { atMs, what });
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      after(ms, resolve);
      signal?.addEventListener('abort', () => {
        const at = plan.findIndex(({ what }) => what === resolve);
        if (at >= 0) plan.splice(at, 1);
        reject(signal.reason);
      });
    });
  }

  return {
    clock: { now: () => now - behindMs, sleep },
    get planned() {
      return plan.length;
    },
    elapsedMs: () => now,
    after,
    setBack: (ms) => void (behindMs += ms),
    spend: (ms) => void (now += ms),
    async run(untilMs) {
      for (let next = plan.at(-1); next && next.atMs <= untilMs; next = plan.at(-1)) {
        plan.pop();
        now = Math.max(now, next.atMs);
        next.what();
        await settled();
      }
      now = Math.max(now, untilMs);
    },
  };
}

/** Every promise that can settle without time passing has: chains of promises here are shorter. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await undefined;
}
