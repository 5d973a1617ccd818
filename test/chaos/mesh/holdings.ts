import type { Holdings } from './messages.ts';

/** What this process holds that it could not do without. Its programs are started with --expose-gc. */
export function holdings(): Holdings {
  globalThis.gc?.();
  return { heapBytes: process.memoryUsage().heapUsed, resources: process.getActiveResourcesInfo().length };
}

/** What this process takes of the machine, without the pages that V8 keeps for garbage to come: how many those are is its own choice. */
export function residentBytes(): number {
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - (heapTotal - heapUsed);
}
