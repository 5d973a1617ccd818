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

/** How a wait for a trace ended. */
interface Sight {
  /** Undefined when the time was up before it was. */
  readonly complete: TraceTree | undefined;
  /** As it was seen last. */
  readonly seen: TraceTree | undefined;
  /** Why the backend could not be asked, when it could not the last time. */
  readonly trouble: MeshError | undefined;
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
  options: WaitForTraceOptions,
): Promise<TraceTree> {
  const { complete, seen, trouble } = await watch(queryUrl, traceId, isComplete, options);
  if (complete !== undefined) return complete;
  const last = seen === undefined ? 'nothing of it was seen' : `last seen:\n${renderTrace(seen)}`;
  throw refusal('DEADLINE_EXCEEDED', `trace ${traceId} was not complete after ${options.deadlineMs} ms; ${last}`, {
    cause: trouble,
  });
}

/**
 * The same for a caller who takes what there is when the time is up: the trace as it was last seen, undefined when
 * nothing came of it. Rejects with UNREACHABLE when nobody answers at first, or at last.
 */
export async function settledTrace(
  queryUrl: string,
  traceId: string,
  isComplete: (tree: TraceTree) => boolean,
  options: WaitForTraceOptions,
): Promise<TraceTree | undefined> {
  const { signal } = options;
  const first = await fetchTrace(queryUrl, traceId, signal ? { signal } : {});
  if (first !== undefined && isComplete(first)) return first;
  const { seen = first, trouble } = await watch(queryUrl, traceId, isComplete, options);
  if (seen === undefined && trouble !== undefined) throw trouble;
  return seen;
}

async function watch(
  queryUrl: string,
  traceId: string,
  isComplete: (tree: TraceTree) => boolean,
  { deadlineMs, clock, signal }: WaitForTraceOptions,
): Promise<Sight> {
  const deadline = clock.now() + deadlineMs;
  let seen: TraceTree | undefined;
  let trouble: MeshError | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; clock.now() < deadline; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      seen = await fetchTrace(queryUrl, traceId, signal ? { signal } : {});
      trouble = undefined;
      if (seen !== undefined && isComplete(seen)) return { complete: seen, seen, trouble };
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.reason !== 'UNREACHABLE') throw thrown;
      trouble = thrown;
    }
    await clock.sleep(pauseMs, signal);
  }
  return { complete: undefined, seen, trouble };
}
