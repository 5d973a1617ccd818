import { setTimeout as delay } from 'node:timers/promises';

/** How orders are placed for a while: so many on their way at any time, or so many a second whatever becomes of them. */
export interface Load {
  readonly pace: { readonly inFlight: number } | { readonly perSecond: number };
  /** Placed first and not counted. */
  readonly warmUpMs: number;
  readonly ms: number;
}

/** What was measured in one slice of time. */
export interface Slice {
  /** Orders that reached their final state, CONFIRMED, within the slice. */
  readonly ordersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** All that were placed, those of the warm-up too. */
  readonly orders: number;
  /** Those that did not end CONFIRMED. They count for nothing else. */
  readonly failed: number;
  /** What the last of those said. */
  readonly failure?: string;
}

/** Places one order; resolves when it is CONFIRMED. */
export type PlaceOrder = () => Promise<void>;

/** At a pace an order counts from when it was due, so that one which its busy process sends late has waited, too. */
export async function measureLoad(placeOrder: PlaceOrder, { pace, warmUpMs, ms }: Load): Promise<Slice> {
  const from = performance.now() + warmUpMs;
  let until = from + ms;
  const took: number[] = [];
  let orders = 0;
  let failed = 0;
  let failure: string | undefined;
  const isPaced = 'perSecond' in pace;

  async function place(began: number): Promise<void> {
    orders += 1;
    try {
      await placeOrder();
    } catch (thrown) {
      failed += 1;
      failure = thrown instanceof Error ? thrown.message : String(thrown);
      return;
    }
    const now = performance.now();
    // A machine may be so busy that a short slice ends without an order: then it lasts until there is one.
    if (now > until && took.length === 0) until = now;
    const countedAt = isPaced ? began : now;
    if (countedAt >= from && countedAt <= until) took.push(now - began);
  }

  await (isPaced ? keepPace(place, pace.perSecond, from, () => until) : keepInFlight(place, pace.inFlight, () => performance.now() >= until));
  return { ordersPerSecond: (took.length * 1_000) / (until - from), ...percentiles(took), orders, failed, ...(failure !== undefined && { failure }) };
}

async function keepInFlight(place: (began: number) => Promise<void>, inFlight: number, isOver: () => boolean): Promise<void> {
  const lane = async (): Promise<void> => {
    while (!isOver()) await place(performance.now());
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** All that is due before the end is placed, should its process be busy beyond that; one at least, at however slow a pace. */
async function keepPace(place: (began: number) => Promise<void>, perSecond: number, from: number, until: () => number): Promise<void> {
  const underWay: Promise<void>[] = [];
  let last = -Infinity;
  for (let due = performance.now(); due < until() || last < from; due += 1_000 / perSecond) {
    // A timer may be a part of a millisecond early.
    while (performance.now() < due) await delay(due - performance.now());
    underWay.push(place(due));
    last = due;
  }
  await Promise.all(underWay);
}

function percentiles(took: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
