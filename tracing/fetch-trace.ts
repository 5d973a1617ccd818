import { type QueryOptions, queryTraces } from './query-traces.ts';
import type { TraceTree } from './trace-tree.ts';

/**
 * Reads a trace from a Jaeger query API, real or stand-in, such as `http://127.0.0.1:16686`. Undefined when it is not
 * there, or not yet. Rejects with UNREACHABLE when nobody answers there, or somebody else.
 */
export async function fetchTrace(
  queryUrl: string,
  traceId: string,
  options: QueryOptions = {},
): Promise<TraceTree | undefined> {
  const traces = await queryTraces(queryUrl, `/api/traces/${encodeURIComponent(traceId)}`, options);
  return traces?.[0];
}
