import { median } from '../figure.ts';
import { inTurns } from '../in-turns.ts';
import type { Contestant, Measured } from './contestant.ts';
import type { Load } from './load.ts';

/** The middle of each number over a contestant's slices. */
export type Medians = Pick<Measured, 'ordersPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuMsPerOrder' | 'drainMs'>;

/** Measures everybody in turns, and takes the medians. */
export async function measureInTurns(contestants: readonly Contestant[], rounds: number, load: Load, progress: (line: string) => void): Promise<ReadonlyMap<Contestant, Medians>> {
  const slices = await inTurns<Contestant, Measured>(
    contestants,
    rounds,
    (contestant) => contestant.measure(load),
    (round, sofar) => progress(`round ${round} of ${rounds}: ${contestants.map((each) => summaryOf(each, sofar.get(each)?.at(-1))).join('; ')}`),
  );
  return new Map([...slices].map(([contestant, measured]) => [contestant, mediansOf(measured)]));
}

function mediansOf(slices: readonly Measured[]): Medians {
  const of = (pick: (slice: Measured) => number): number => median(slices.map(pick));
  return {
    ordersPerSecond: of((slice) => slice.ordersPerSecond),
    p50Ms: of((slice) => slice.p50Ms),
    p99Ms: of((slice) => slice.p99Ms),
    cpuMsPerOrder: of((slice) => slice.cpuMsPerOrder),
    drainMs: of((slice) => slice.drainMs),
  };
}

function summaryOf({ title }: Contestant, slice: Measured | undefined): string {
  if (!slice) return title;
  const { ordersPerSecond, p99Ms, cpuMsPerOrder, drainMs } = slice;
  return `${title} ${ordersPerSecond.toFixed(1)}/s, p99 ${p99Ms.toFixed(0)} ms, ${cpuMsPerOrder.toFixed(1)} ms of CPU an order, drained in ${drainMs.toFixed(0)} ms`;
}
