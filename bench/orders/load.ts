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

  const isOver = (): boolean => performance.now() >= until;
  await (isPaced ? keepPace(place, pace.perSecond, isOver) : keepInFlight(place, pace.inFlight, isOver));
  return { ordersPerSecond: (took.length * 1_000) / (until - from), ...percentiles(took), orders, failed, ...(failure !== undefined && { failure }) };
}

async function keepInFlight(place: (began: number) => Promise<void>, inFlight: number, isOver: () => boolean): Promise<void> {
  const lane = async (): Promise<void> => {
    while (!isOver()) await place(performance.now());
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function keepPace(place: (began: number) => Promise<void>, perSecond: number, isOver: () => boolean): Promise<void> {
  const began = performance.now();
  const underWay: Promise<void>[] = [];
  for (let due = began; !isOver(); due += 1_000 / perSecond) {
    const waitMs = due - performance.now();
    if (waitMs > 0) await delay(waitMs);
    underWay.push(place(due));
  }
  await Promise.all(underWay);
}

function percentiles(took: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
