import { systemClock } from '#kit';

/** Waits until `condition` holds, asking every 5 ms; fails after `withinMs`. */
export async function until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${withinMs} ms`);
    await systemClock.sleep(5);
  }
}
