import { type Check, CHECK_OF, CHECKS, type Difference } from './difference.ts';

export interface CheckResult {
  readonly check: Check;
  /** How many there are, also of those that are not listed. */
  readonly differences: number;
  /** How many there are that are told and make nothing fail. */
  readonly remarks: number;
  /** The first differences. */
  readonly listed: readonly Difference[];
  /** The first remarks. */
  readonly remarked: readonly Difference[];
}

/** Counts differences, and keeps the first of each check: there may be more than memory holds. */
export interface Tally {
  add(differences: readonly Difference[]): void;
  results(): CheckResult[];
}

/** @param keep how many differences of each check are kept, and how many remarks */
export function createTally(keep: number): Tally {
  const tallies = CHECKS.map((check) => ({ check, differences: 0, remarks: 0, listed: [] as Difference[], remarked: [] as Difference[] }));
  const ofCheck = new Map(tallies.map((tally) => [tally.check, tally]));
  return {
    add(differences) {
      for (const difference of differences) {
        const tally = ofCheck.get(CHECK_OF[difference.kind]);
        // There is one for each check.
        if (!tally) continue;
        tally[difference.fails ? 'differences' : 'remarks'] += 1;
        const kept = difference.fails ? tally.listed : tally.remarked;
        if (kept.length < keep) kept.push(difference);
      }
    },
    results: () => tallies.map((tally) => ({ ...tally, listed: [...tally.listed], remarked: [...tally.remarked] })),
  };
}
