import { setTimeout as delay } from 'node:timers/promises';

/** A server's capacity: so many calls at once, each for a fixed time. It knows nothing of deadlines, as naive servers do not. */
export interface Workers {
  run(serviceMs: number): Promise<void>;
}

/**
 * First come, first served; the others wait, as many as there are. Each worker has its timetable: a timer that is late, as
 * timers are by a millisecond, makes one call longer and not the capacity smaller (8 workers at 10 ms: 800 a second).
 */
export function createWorkers(count: number): Workers {
  const freeAt = Array<number>(count).fill(-Infinity);
  return {
    async run(serviceMs) {
      const now = performance.now();
      const worker = freeAt.indexOf(Math.min(...freeAt));
      const end = Math.max(now, freeAt[worker] ?? now) + serviceMs;
      freeAt[worker] = end;
      await delay(end - now);
    },
  };
}
