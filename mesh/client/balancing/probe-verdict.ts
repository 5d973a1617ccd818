import type { CallOutcome, Patience } from './call-outcome.ts';
import { isSlow } from './outlier.ts';

/** A probe that is not answered within this (5 s) lets another one go: sooner (0.5 s) while nobody else may be called. */
export function probePatienceMs(isOpen: boolean): number {
  return isOpen ? 500 : 5_000;
}

/** Whether an instance is back, stays out, or needs another probe because this one said nothing. */
export type ProbeVerdict = 'back' | 'out' | 'unclear';

/** What the end of a probe means. While nobody may be called, an instance that is slow, or fails and says so, is better than none. */
export function probeVerdict({ kind }: CallOutcome, ms: number, { usualMs, factor }: Patience, isOpen: boolean): ProbeVerdict {
  switch (kind) {
    case 'answered':
      return !isOpen && isSlow(ms, usualMs, factor) ? 'out' : 'back';
    case 'broken':
      return isOpen ? 'back' : 'out';
    case 'shed':
      return 'back';
    case 'unclear':
      return 'unclear';
    default:
      return 'out';
  }
}
