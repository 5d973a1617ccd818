import { type Clock, MeshError, refusal } from '#kit';

import { fetchTrace } from './fetch-trace.ts';
import { renderTrace } from './render-trace.ts';
import type { TraceTree } from './trace-tree.ts';

export interface WaitForTraceOptions {
  /** How long to wait, in milliseconds from now. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;

/**
 * Asks for a trace until it is as the caller wants it: spans arrive in batches, from several processes. A backend that does
 * not answer yet is asked again too. Rejects with DEADLINE_EXCEEDED, the trace as it was last seen in the sentence.
 */
export async function waitForTrace(
  queryUrl: string,
  traceId: string,
  isComplete: (tree: TraceTree) => boolean,
  { deadlineMs, clock, signal }: WaitForTraceOptions,
): Promise<TraceTree> {
  const deadline = clock.now() + deadlineMs;
  let seen: TraceTree | undefined;
  let trouble: unknown;
  for (let pauseMs = FIRST_PAUSE_MS; clock.now() < deadline; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      seen = await fetchTrace(queryUrl, traceId, signal ? { signal } : {});
      if (seen !== undefined && isComplete(seen)) return seen;
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.reason !== 'UNREACHABLE') throw thrown;
      trouble = thrown;
    }
    await clock.sleep(pauseMs, signal);
  }
  const sight = seen === undefined ? 'nothing of it was seen' : `last seen:\n${renderTrace(seen)}`;
  throw refusal('DEADLINE_EXCEEDED', `trace ${traceId} was not complete after ${deadlineMs} ms; ${sight}`, {
    cause: trouble,
  });
}
