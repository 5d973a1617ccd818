import { type QueryOptions, queryTraces } from './query-traces.ts';
import type { TraceTree } from './trace-tree.ts';

/** A trace is found when one of its spans is all of this. */
export interface TraceSearch {
  readonly service: string;
  /** Attributes of the span or of its service, as text. */
  readonly tags: Readonly<Record<string, string>>;
  /** How far back from now, in milliseconds. */
  readonly lookbackMs: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The newest traces that are given at most. */
  readonly limit: number;
}

/** A span may come from a machine whose clock is ahead. */
const AHEAD_MS = 60_000;

/** Traces of a Jaeger query API, whole, in the order in which they began. UNREACHABLE when nobody answers there. */
export async function searchTraces(
  queryUrl: string,
  { service, tags, lookbackMs, nowMs, limit }: TraceSearch,
  options: QueryOptions = {},
): Promise<readonly TraceTree[]> {
  const query = new URLSearchParams({
    service,
    tags: JSON.stringify(tags),
    limit: String(limit),
    start: String((nowMs - lookbackMs) * 1_000),
    end: String((nowMs + AHEAD_MS) * 1_000),
  });
  const found = (await queryTraces(queryUrl, `/api/traces?${query}`, options)) ?? [];
  return found.toSorted((a, b) => startOf(a) - startOf(b));
}

function startOf({ roots }: TraceTree): number {
  return roots[0]?.startUs ?? 0;
}
