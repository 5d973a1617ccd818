import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 20;

/** Asks until the answer is yes; fails, saying for what it waited. */
export async function eventually(what: string, isTrue: () => Promise<boolean> | boolean, withinMs = 30_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain, ${withinMs} ms, until ${what}`);
    await delay(ASK_EVERY_MS);
  }
}
