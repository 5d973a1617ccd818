import { MeshError, type RetryHint } from '#kit';

/** A chain of causes is short; a longer one, or one that bites its own tail, is not followed. */
const MAX_CAUSES = 8;

/**
 * What a server tells its caller of sending a failed call again. Only the last hop before a failure tries again: it is
 * closest, so its attempts cost least, and three attempts at each of four hops would be 81 at the last. So a failure
 * of a call that this server made itself is answered with `never`, whatever was said to this server: its handler has
 * begun, and its own stub has tried. The rule is Google's ("Site Reliability Engineering", chapter 21, "Deciding to Retry").
 *
 * A hint that the server gives of its own accord (it sheds, it drains) stands. Undefined: the code decides.
 */
export function retryHintOf(error: MeshError): RetryHint | undefined {
  if (error.answeredBy) return { kind: 'never' };
  if (error.retry) return error.retry;
  return isCausedByCall(error) ? { kind: 'never' } : undefined;
}

function isCausedByCall(error: MeshError): boolean {
  let cause = error.cause;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (cause instanceof MeshError && cause.answeredBy) return true;
    cause = cause.cause;
  }
  return false;
}
