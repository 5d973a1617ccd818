import { type Clock, refusal } from '#kit';

import type { ClientInterceptor } from '../call.ts';
import { currentCall } from '../call-context.ts';

/**
 * Every call has a deadline: the caller's own, else the contract's, and never later
 * than that of the call being served here. A call whose time is already spent is refused
 * before it leaves. When the served call is cancelled, so is this one.
 */
export function clientDeadline(clock: Clock): ClientInterceptor {
  return (next) => (call) => {
    const served = currentCall(call.context);
    const now = clock.now();
    call.deadline = now + Math.min(call.timeoutMs, call.method.deadlineMs);
    if (served) {
      call.deadline = Math.min(call.deadline, served.deadline);
      call.signals.push(served.signal);
    }
    if (call.deadline <= now) {
      return Promise.reject(refusal('DEADLINE_EXCEEDED', `no time was left to call ${call.method.fullName}; give the request a longer deadline`));
    }
    if (call.signals.some(({ aborted }) => aborted)) {
      return Promise.reject(refusal('CANCELLED', 'the caller went away before the call was sent'));
    }
    return next(call);
  };
}
