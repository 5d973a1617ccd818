import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 20;
/** To ask may be to run a whole command: who asks all the time keeps what it waits for from the processor. */
const REST_PER_ASK = 1;

/** Asks until the answer is yes; fails, saying for what it waited. */
export async function eventually(what: string, isTrue: () => Promise<boolean> | boolean, withinMs = 30_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const askedAt = performance.now();
    if (await isTrue()) return;
    const now = performance.now();
    if (now > giveUpAt) throw new Error(`waited in vain, ${withinMs} ms, until ${what}`);
    await delay(Math.max(ASK_EVERY_MS, REST_PER_ASK * (now - askedAt)));
  }
}
