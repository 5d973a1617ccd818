import { median } from '../figure.ts';
import type { Contestant, Measured } from './contestant.ts';
import type { Load } from './load.ts';

/** The middle of each number over a contestant's slices. */
export type Medians = Pick<Measured, 'ordersPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuMsPerOrder' | 'drainMs'>;

/** Measures everybody once in each round, each by turns first: what the machine does beside it falls upon all of them. */
export async function measureInTurns(contestants: readonly Contestant[], rounds: number, load: Load, progress: (line: string) => void): Promise<ReadonlyMap<Contestant, Medians>> {
  const slices = new Map(contestants.map((contestant): [Contestant, Measured[]] => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) slices.get(contestant)?.push(await contestant.measure(load));
    progress(`round ${round + 1} of ${rounds}: ${contestants.map((each) => summaryOf(each, slices.get(each)?.at(-1))).join('; ')}`);
  }
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
