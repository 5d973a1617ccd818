import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition by asking again and again; fails with `what` when it does not come true in time. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`after ${withinMs} ms it is still not true that ${what}`);
    await delay(5);
  }
}
