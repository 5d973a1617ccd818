import type { BenchOptions } from '../bench.ts';
import { type Figure, judge } from '../figure.ts';
import { type Contestant, enter } from './contestant.ts';
import { fillShop } from './fill-shop.ts';
import { measureInTurns } from './measure-in-turns.ts';
import { startMeshShop } from './mesh-shop.ts';
import { startField } from './surroundings.ts';
import { EXTENT } from './throughput.ts';

export const FILLED_FIGURES = ['full_vs_empty'];

const ORDERS = { full: 1_000_000, quick: 2_000 } as const;

/** Orders a second of a shop with a million finished orders in its tables, and of one that has just opened. */
export async function measureFilled({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const extent = quick ? 'quick' : 'full';
  const { rounds, inFlight, sliceMs: ms, warmUpMs, firstWarmUpMs } = EXTENT[extent];
  const field = await startField();
  const entered: Contestant[] = [];
  const load = { pace: { inFlight }, warmUpMs, ms };
  try {
    const full = await startMeshShop('micro', field.of('full'));
    const contestant = await enter('full', full, progress);
    entered.push(contestant);
    // Real orders, which are then multiplied.
    await contestant.warmUp({ ...load, ms: firstWarmUpMs });
    await fillShop(full.databaseUrls, ORDERS[extent], progress);
    const empty = await enter('empty', await startMeshShop('micro', field.of('empty')), progress);
    entered.push(empty);
    await empty.warmUp({ ...load, ms: firstWarmUpMs });
    const medians = await measureInTurns(entered, rounds, load, progress);
    const rateOf = (each: Contestant): number => medians.get(each)?.ordersPerSecond ?? Number.NaN;
    const figure = `orders.full_vs_empty (${ORDERS[extent].toLocaleString('en')} finished orders)`;
    const peer = { name: 'the same shop, just opened', value: rateOf(empty) };
    return [judge({ figure, value: rateOf(contestant), unit: 'orders/s', peer, aim: { atLeast: 0.9 } })];
  } finally {
    for (const each of entered) await each.stop();
    await field.stop();
  }
}
