import type { Clock } from '#kit';

import type { ClientCall } from '../call.ts';

/** Tells a server which attempt this is: 1 with the second (gRFC A6, "Exposed Retry Metadata"). */
const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts';

/** The call once more, for another instance than those that earlier attempts went to, and with a deadline of its own. */
export function nextAttempt(call: ClientCall, previous: ClientCall, perTryTimeoutMs: number, clock: Clock): ClientCall {
  const { number, avoid, stream, instance } = previous.attempt;
  return {
    ...call,
    headers: { ...call.headers, [PREVIOUS_ATTEMPTS]: String(number) },
    deadline: tryDeadline(call, perTryTimeoutMs, clock),
    attempt: { number: number + 1, avoid: instance === undefined ? avoid : [...avoid, instance], stream, instance: undefined },
  };
}

/** The call's first attempt: the call itself, unless an attempt has less time than the call. */
export function firstAttempt(call: ClientCall, perTryTimeoutMs: number, clock: Clock): ClientCall {
  return perTryTimeoutMs === Infinity ? call : { ...call, deadline: tryDeadline(call, perTryTimeoutMs, clock) };
}

function tryDeadline({ deadline }: ClientCall, perTryTimeoutMs: number, clock: Clock): number {
  return perTryTimeoutMs === Infinity ? deadline : Math.min(deadline, clock.now() + perTryTimeoutMs);
}
