import type { Holdings } from './messages.ts';

/** What this process holds that it could not do without. Its programs are started with --expose-gc. */
export function holdings(): Holdings {
  globalThis.gc?.();
  return { heapBytes: process.memoryUsage().heapUsed, resources: process.getActiveResourcesInfo().length };
}
