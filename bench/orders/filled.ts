import type { BenchOptions } from '../bench.ts';
import { type Figure, judge } from '../figure.ts';
import { type Contestant, enter } from './contestant.ts';
import { fillShop } from './fill-shop.ts';
import { measureInTurns } from './measure-in-turns.ts';
import { type MeshShop, startMeshShop } from './mesh-shop.ts';
import { startField } from './surroundings.ts';
import { EXTENT } from './throughput.ts';

const ORDERS = { full: 1_000_000, quick: 100 } as const;

/** So many are placed at least before they are multiplied: every copy of them brings a copy of all 1,000 buyers with it. */
const ORIGINALS = { full: 1_000, quick: 10 } as const;

/** Orders a second of a shop with a million finished orders in its tables, and, by turns with it, of one that has just opened. */
export async function measureFilled({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const extent = quick ? 'quick' : 'full';
  const { rounds, inFlight, sliceMs: ms, warmUpMs, firstWarmUpMs } = EXTENT[extent];
  const load = { pace: { inFlight }, warmUpMs, ms };
  const firstLoad = { pace: { inFlight }, warmUpMs: 0, ms: firstWarmUpMs };
  const field = await startField(extent);
  const entered: Contestant[] = [];
  const add = async (title: string): Promise<Contestant<MeshShop>> => {
    const contestant = await enter(title, () => startMeshShop('micro', field.of(title)), progress);
    entered.push(contestant);
    return contestant;
  };
  try {
    const full = await add('full');
    do {
      await full.warmUp(firstLoad);
    } while (full.placed() < ORIGINALS[extent]);
    const began = performance.now();
    await fillShop(full.shop.databaseUrls, ORDERS[extent], progress);
    progress(`full: filled with ${ORDERS[extent]} orders in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
    const empty = await add('empty');
    // The full one again: filling it has thrown out of its caches what orders need.
    for (const each of entered) await each.warmUp(firstLoad);
    const medians = await measureInTurns(entered, rounds, load, progress);
    await field.checkCards();
    const rateOf = (each: Contestant): number => medians.get(each)?.ordersPerSecond ?? Number.NaN;
    const figure = `orders.full_vs_empty (${ORDERS[extent].toLocaleString('en')} finished orders)`;
    const peer = { name: 'the same shop, just opened', value: rateOf(empty) };
    return [judge({ figure, value: rateOf(full), unit: 'orders/s', peer, aim: { atLeast: 0.9 } })];
  } finally {
    for (const each of entered) await each.stop();
    await field.stop();
  }
}
