import { trace } from '@opentelemetry/api';

import { type Code, MeshError } from '#kit';
import { REASON_ATTRIBUTE } from '#tracing';

import { currentCall } from './call-context.ts';

/** On every span under which a degraded answer was given. */
const DEGRADED_ATTRIBUTE = 'mesh.degraded';

/** What says that somebody else cannot answer now, and not that the question was wrong. */
const CANNOT_ANSWER: readonly Code[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED'];

/** An answer, and whether it is the second best. */
export type Degradable<T> = { readonly value: T; readonly degraded: false } | { readonly value: T; readonly degraded: true; readonly because: MeshError };

export interface FallbackOptions<T> {
  /** What is answered, for the trace, such as `recommendations`. */
  readonly name: string;
  readonly primary: () => Promise<T>;
  /** Gets on without what failed: an empty list, what was known before. Hears why it is asked. */
  readonly fallback: (because: MeshError) => Promise<T> | T;
  /** Which failures it is for. Default: UNAVAILABLE, DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED, but for a message that is too large. */
  readonly when?: (error: MeshError) => boolean;
}

/**
 * A degraded answer instead of none. `primary` decides unless it fails in a way that `fallback` is for; the answer says
 * which of the two it is from, and so does the active span, by the event `fallback` and `mesh.degraded`. What the
 * request is to blame for stays an error, and so does a call that nobody waits for any more. When both fail, the error
 * is the primary's, with the fallback's as its cause.
 *
 * Give a primary that may be slow a deadline below that of the call being served: a fallback needs time, too.
 */
export async function withFallback<T>({ name, primary, fallback, when = cannotAnswer }: FallbackOptions<T>): Promise<Degradable<T>> {
  try {
    return { value: await primary(), degraded: false };
  } catch (thrown) {
    const because = MeshError.from(thrown);
    if (isUnwanted(because) || !when(because)) throw thrown;
    return { value: await second(because), degraded: true, because };
  }

  async function second(because: MeshError): Promise<T> {
    try {
      const value = await fallback(because);
      noteDegraded(name, because);
      return value;
    } catch (cause) {
      const { code, reason, message } = because;
      throw new MeshError(code, reason, message, { ...because, cause });
    }
  }
}

function cannotAnswer({ code, reason }: MeshError): boolean {
  return CANNOT_ANSWER.includes(code) && reason !== 'MESSAGE_TOO_LARGE';
}

/** Whether nobody waits for the answer any more. */
function isUnwanted({ code }: MeshError): boolean {
  return code === 'CANCELLED' || currentCall()?.signal.aborted === true;
}

function noteDegraded(name: string, { reason }: MeshError): void {
  const span = trace.getActiveSpan();
  span?.setAttribute(DEGRADED_ATTRIBUTE, true);
  span?.addEvent('fallback', { 'mesh.fallback.name': name, [REASON_ATTRIBUTE]: reason });
}
