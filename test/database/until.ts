import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 10;
const TIMEOUT_MS = 15_000;

/** Asks until the answer is yes; fails, saying for what it waited, after 15 s. */
export async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = performance.now() + TIMEOUT_MS;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await delay(ASK_EVERY_MS);
  }
}
