import { refusal } from '#kit';

import { getJson } from './get-json.ts';
import type { JaegerAnswer, JaegerTrace } from './jaeger-api.ts';
import { buildTree, type TraceTree } from './trace-tree.ts';

export interface QueryOptions {
  readonly signal?: AbortSignal;
}

/**
 * The traces at a path of a Jaeger query API, such as `/api/traces/<id>`; undefined when it says that they are not
 * there. Rejects with UNREACHABLE when nobody answers, or somebody else than Jaeger.
 */
export async function queryTraces(
  queryUrl: string,
  path: string,
  { signal }: QueryOptions,
): Promise<readonly TraceTree[] | undefined> {
  const url = queryUrl.replace(/\/$/, '') + path;
  const { status, body } = await getJson(url, signal);
  if (status === 404 && isAnswer(body)) return undefined;
  if (status === 200 && isAnswer(body)) return (body.data ?? []).map(buildTree);
  throw refusal(
    'UNREACHABLE',
    `${url} answers ${status}, and not with traces; check that a Jaeger query API listens there`,
  );
}

/** Tells Jaeger from another server that happens to speak JSON; below this the shape is Jaeger's to keep. */
function isAnswer(body: unknown): body is JaegerAnswer<readonly JaegerTrace[]> {
  return (
    typeof body === 'object' && body !== null && 'data' in body && (body.data === null || Array.isArray(body.data))
  );
}
