import type { CallRecord } from './messages.ts';

type Calls = readonly CallRecord[];

/** Calls that were due within the span, in milliseconds since the epoch. */
export function between(calls: Calls, from: number, to: number): Calls {
  return calls.filter(({ at }) => at >= from && at < to);
}

export function failed(calls: Calls): Calls {
  return calls.filter(({ outcome }) => outcome !== 'ok');
}

/** Share of calls that were answered, from 0 to 1. */
export function okShare(calls: Calls): number {
  return calls.length === 0 ? 0 : 1 - failed(calls).length / calls.length;
}

/** `{ UNREACHABLE: 3 }` */
export function reasons(calls: Calls): Readonly<Record<string, number>> {
  return counts(Map.groupBy(failed(calls), ({ outcome }) => outcome));
}

/** Milliseconds that this share of the calls took at most, failed ones included. */
export function percentile(calls: Calls, share: number): number {
  const sorted = calls.map(({ tookMs }) => tookMs).toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Good answers a second, for each second of the span. */
export function goodput(calls: Calls, from: number, to: number): readonly number[] {
  const seconds = Math.floor((to - from) / 1_000);
  return Array.from({ length: seconds }, (_, second) => {
    const begin = from + second * 1_000;
    // By the time of the answer: what was asked long ago is late even if it comes now.
    return calls.filter(({ outcome, at, tookMs }) => outcome === 'ok' && at + tookMs >= begin && at + tookMs < begin + 1_000).length;
  });
}

/** Calls by the instance that answered them. */
export function byInstance(calls: Calls): Readonly<Record<string, number>> {
  return counts(Map.groupBy(calls, ({ instance }) => instance));
}

function counts(groups: ReadonlyMap<string, Calls>): Readonly<Record<string, number>> {
  return Object.fromEntries([...groups].map(([name, those]) => [name, those.length]));
}
