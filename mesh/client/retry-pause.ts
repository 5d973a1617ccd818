import type { MeshError, Random, Reason, RetryHint } from '#kit';

import type { ClientCall } from '../call.ts';
import { mayRepeat } from '../method.ts';
import type { Retries } from '../policy/call-policy.ts';
import { fullJitterMs } from './backoff.ts';

/**
 * Refusals of this process: nothing was sent, and what they say of the destination is still so after a pause of
 * milliseconds. Waiting for a first instance, or for the circuit to close, would keep callers hanging who are to be told
 * at once; whoever can wait finds in the error how long.
 */
const REFUSED_HERE: ReadonlySet<string> = new Set<Reason>(['NO_INSTANCE', 'CONTROL_PLANE_UNAVAILABLE', 'CIRCUIT_OPEN', 'TOO_MANY_CALLS']);

/** An attempt that failed. */
export interface Failed {
  /** As its caller made it. */
  readonly call: ClientCall;
  /** As it was sent. */
  readonly attempt: ClientCall;
  readonly error: MeshError;
  /** How many have been sent so far. */
  readonly attempts: number;
}

/** Milliseconds until the next attempt may go out; undefined when there must be none, or its turn would come after the deadline. */
export function retryPauseMs(failed: Failed, policy: Retries, now: number, random: Random): number | undefined {
  const { call, error, attempts } = failed;
  if (!policy.enabled || attempts >= policy.maxAttempts || !mayGoAgain(failed, policy)) return undefined;
  const pauseMs = pushbackMs(error.retry) + fullJitterMs(attempts, policy.baseMs, policy.maxMs, random);
  return now + pauseMs < call.deadline ? pauseMs : undefined;
}

/** Whether this process refused the attempt itself. An instance that answers with such a reason had its own from further down. */
export function isRefusedHere({ attempt }: ClientCall, { reason }: MeshError): boolean {
  return attempt.instance === undefined && REFUSED_HERE.has(reason);
}

/** Whether another attempt might do better, be it allowed or not: then one that is on its way is worth waiting for. */
export function isMendable({ call, attempt, error }: Failed, { codes }: Retries): boolean {
  return error.retry !== undefined || codes.includes(error.code) || REFUSED_HERE.has(error.reason) || isTryTimeout(call, attempt, error);
}

function mayGoAgain(failed: Failed, policy: Retries): boolean {
  const { call, error } = failed;
  if (REFUSED_HERE.has(error.reason)) return false;
  switch (error.retry?.kind) {
    case 'never':
      return false;
    case 'not-started':
      return true;
    default:
      return mayRepeat(call.method, call.request) && isMendable(failed, policy);
  }
}

/** Whether the attempt's own time is over and the call's is not. */
function isTryTimeout(call: ClientCall, attempt: ClientCall, { code }: MeshError): boolean {
  return code === 'DEADLINE_EXCEEDED' && attempt.deadline < call.deadline;
}

/** How long the server wants to be left alone (gRFC A6, "Pushback"). */
function pushbackMs(hint: RetryHint | undefined): number {
  return hint && hint.kind !== 'never' ? hint.afterMs : 0;
}
