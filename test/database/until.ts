import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 10;
const TIMEOUT_MS = 15_000;

/** Asks until the answer is yes; fails, saying for what it waited, after 15 s, or as long as it is told. */
export async function until(what: string, isTrue: () => Promise<boolean> | boolean, timeoutMs = TIMEOUT_MS): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await delay(ASK_EVERY_MS);
  }
}
