import { refusal } from '#kit';

import { getJson } from './get-json.ts';
import type { JaegerAnswer, JaegerTrace } from './jaeger-api.ts';
import { buildTree, type TraceTree } from './trace-tree.ts';

export interface FetchTraceOptions {
  readonly signal?: AbortSignal;
}

/**
 * Reads a trace from a Jaeger query API, real or stand-in, such as `http://127.0.0.1:16686`. Undefined when it is not
 * there, or not yet. Rejects with UNREACHABLE when nobody answers there, or somebody else.
 */
export async function fetchTrace(
  queryUrl: string,
  traceId: string,
  { signal }: FetchTraceOptions = {},
): Promise<TraceTree | undefined> {
  const url = `${queryUrl.replace(/\/$/, '')}/api/traces/${encodeURIComponent(traceId)}`;
  const { status, body } = await getJson(url, signal);
  if (status === 404 && isAnswer(body)) return undefined;
  const trace = status === 200 && isAnswer(body) ? body.data?.[0] : undefined;
  if (trace === undefined)
    throw refusal(
      'UNREACHABLE',
      `${url} answers ${status}, and not with a trace; check that a Jaeger query API listens there`,
    );
  return buildTree(trace);
}

/** Tells Jaeger from another server that happens to speak JSON; below this the shape is Jaeger's to keep. */
function isAnswer(body: unknown): body is JaegerAnswer<readonly JaegerTrace[]> {
  return (
    typeof body === 'object' && body !== null && 'data' in body && (body.data === null || Array.isArray(body.data))
  );
}
