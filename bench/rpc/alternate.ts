import { median } from '../figure.ts';
import { inTurns } from '../in-turns.ts';
import type { Contestant, Measured } from './field.ts';
import type { Load } from './load.ts';

/** The middle of each number over a contestant's slices. */
export type Medians = Pick<Measured, 'callsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuMsPerCall' | 'cores'>;

export interface AlternateOptions {
  readonly rounds: number;
  readonly loadOf: (contestant: Contestant) => Load;
  readonly progress: (line: string) => void;
}

/** Measures everybody in turns, and takes the medians. */
export async function alternate(contestants: readonly Contestant[], { rounds, loadOf, progress }: AlternateOptions): Promise<ReadonlyMap<Contestant, Medians>> {
  const slices = await inTurns<Contestant, Measured>(
    contestants,
    rounds,
    (contestant) => contestant.measure(loadOf(contestant)),
    (round, sofar) => {
      if (round % 5 === 0) progress(`round ${round} of ${rounds}: ${contestants.map((each) => summaryOf(each, sofar.get(each))).join('; ')}`);
    },
  );
  return new Map([...slices].map(([contestant, measured]) => [contestant, mediansOf(measured)]));
}

function mediansOf(slices: readonly Measured[]): Medians {
  const of = (pick: (slice: Measured) => number): number => median(slices.map(pick));
  return {
    callsPerSecond: of((slice) => slice.callsPerSecond),
    p50Ms: of((slice) => slice.p50Ms),
    p99Ms: of((slice) => slice.p99Ms),
    cpuMsPerCall: of((slice) => slice.cpuMsPerCall),
    cores: of((slice) => slice.cores),
  };
}

function summaryOf({ spec }: Contestant, slices: readonly Measured[] = []): string {
  const last = slices.at(-1);
  return last ? `${spec.title} ${Math.round(last.callsPerSecond)}/s, p99 ${last.p99Ms.toFixed(2)} ms` : spec.title;
}
