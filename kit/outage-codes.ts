import type { Code } from './codes.ts';

const OUTAGES: ReadonlySet<Code> = new Set(['CANCELLED', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'UNAVAILABLE']);

/** Whether a code is that of an outage, which ends some day: what was asked for may or may not have taken effect. */
export function isOutageCode(code: Code): boolean {
  return OUTAGES.has(code);
}
