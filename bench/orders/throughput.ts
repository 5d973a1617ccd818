import { setTimeout as delay } from 'node:timers/promises';

import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { type Contestant, enter, type RunningShop } from './contestant.ts';
import { measureInTurns, type Medians } from './measure-in-turns.ts';
import type { Load } from './load.ts';
import { startMeshShop } from './mesh-shop.ts';
import { startNaiveShop } from './naive-shop.ts';
import { type Field, startField } from './surroundings.ts';

/**
 * So much is measured: full, and quick, which shows that it works and not how fast. With 64 buyers at any time no shop waits
 * for one of them. What the first warm-up is for: code compiled, connections open, caches filled.
 */
export const EXTENT = {
  full: { rounds: 10, inFlight: 64, sliceMs: 4_000, warmUpMs: 1_000, firstWarmUpMs: 12_000 },
  quick: { rounds: 1, inFlight: 4, sliceMs: 600, warmUpMs: 100, firstWarmUpMs: 300 },
} as const;

const SPANS_WITHIN_MS = 6_000;

const NAIVE = 'naive: proto-loader, auto-instrumentation, one statement a round trip';

/** Durable orders, each traced from end to end, through our shop in both topologies and through the one that is usually written. */
export async function measureThroughput({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const extent = quick ? 'quick' : 'full';
  const { rounds, inFlight, sliceMs: ms, warmUpMs, firstWarmUpMs } = EXTENT[extent];
  const field = await startField(extent);
  const entered: Contestant[] = [];
  try {
    const [naive, micro, monolith] = await enterAll(field, entered, progress);
    for (const contestant of entered) await contestant.warmUp({ pace: { inFlight }, warmUpMs: 0, ms: firstWarmUpMs });
    const medians = await measureInTurns(entered, rounds, { pace: { inFlight }, warmUpMs, ms }, progress);
    const of = (contestant: Contestant): Medians => medians.get(contestant) as Medians;
    const p99Ms = await p99Of(micro, of(micro).ordersPerSecond / 2, rounds, { warmUpMs, ms }, progress);
    await field.checkCards();
    return [...figuresOf({ naive: of(naive), micro: of(micro), monolith: of(monolith) }, p99Ms), ...(await spansPerOrder(field, entered, progress))];
  } finally {
    for (const contestant of entered) await contestant.stop();
    await field.stop();
  }
}

/** One after another: a start is nothing to be measured beside others. */
async function enterAll(field: Field, entered: Contestant[], progress: (line: string) => void): Promise<readonly [Contestant, Contestant, Contestant]> {
  const add = async (title: string, starting: () => Promise<RunningShop>): Promise<Contestant> => {
    const contestant = await enter(title, starting, progress);
    entered.push(contestant);
    return contestant;
  };
  const naive = await add('naive', () => startNaiveShop(field.of('naive')));
  const micro = await add('micro', () => startMeshShop('micro', field.of('micro')));
  return [naive, micro, await add('monolith', () => startMeshShop('monolith', field.of('monolith')))];
}

/** The middle p99 of slices with so many orders a second, which count from when they were due. */
async function p99Of(micro: Contestant, perSecond: number, rounds: number, slice: Omit<Load, 'pace'>, progress: (line: string) => void): Promise<number> {
  const p99s: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { p99Ms } = await micro.measure({ ...slice, pace: { perSecond } });
    p99s.push(p99Ms);
    progress(`micro at ${perSecond.toFixed(1)}/s, round ${round + 1} of ${rounds}: p99 ${p99Ms.toFixed(0)} ms`);
  }
  return median(p99s);
}

/** What is fast because it does not trace is seen here. Senders hold spans back for up to 5 s, and lose some under load. */
async function spansPerOrder(field: Field, contestants: readonly Contestant[], progress: (line: string) => void): Promise<Figure[]> {
  progress(`waiting ${SPANS_WITHIN_MS / 1_000} s for the last spans`);
  await delay(SPANS_WITHIN_MS);
  const spans = await field.spans();
  return contestants.map(({ title, placed }) => judge({ figure: `orders.spans_per_order (${title})`, value: (spans[title] ?? 0) / placed(), unit: 'spans an order', aim: { above: 0 } }));
}

function figuresOf({ naive, micro, monolith }: Readonly<Record<'naive' | 'micro' | 'monolith', Medians>>, p99Ms: number): Figure[] {
  const rate = { name: NAIVE, value: naive.ordersPerSecond };
  const cpu = { name: 'naive', value: naive.cpuMsPerOrder };
  return [
    judge({ figure: 'orders.micro_vs_naive', value: micro.ordersPerSecond, unit: 'orders/s', peer: rate, aim: { atLeast: 4.5 } }),
    judge({ figure: 'orders.monolith_vs_naive', value: monolith.ordersPerSecond, unit: 'orders/s', peer: rate, aim: { atLeast: 11 } }),
    judge({ figure: 'orders.cpu_micro_vs_naive', value: micro.cpuMsPerOrder, unit: 'ms an order, Postgres included', peer: cpu }),
    judge({ figure: 'orders.cpu_monolith_vs_naive', value: monolith.cpuMsPerOrder, unit: 'ms an order, Postgres included', peer: cpu }),
    judge({ figure: 'orders.p99_at_half_capacity (micro)', value: p99Ms, unit: 'ms', aim: { atMost: 60 } }),
  ];
}
