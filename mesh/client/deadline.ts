import { trace } from '@opentelemetry/api';

import { type Clock, refusal } from '#kit';

import type { ClientInterceptor } from '../call.ts';
import { currentCall } from '../call-context.ts';
import { DEADLINE_LEFT_ATTRIBUTE } from '../deadline-left.ts';
import { outgoingDeadline } from './outgoing-deadline.ts';

/**
 * Every call has a deadline: the caller's own, else the contract's, and always before that of the call being served
 * here (see `outgoingDeadline`). A call whose time is already spent is refused before it leaves. When the served call
 * is cancelled, so is this one.
 */
export function clientDeadline(clock: Clock): ClientInterceptor {
  return (next) => (call) => {
    const { method, timeoutMs } = call;
    const served = currentCall(call.context);
    const now = clock.now();
    call.deadline = outgoingDeadline(now, { timeoutMs, contractMs: method.deadlineMs, servedDeadline: served?.deadline });
    if (served) call.signals.push(served.signal);
    const leftMs = call.deadline - now;
    if (leftMs !== Infinity) trace.getSpan(call.context)?.setAttribute(DEADLINE_LEFT_ATTRIBUTE, leftMs);
    // Also when the caller's number is none.
    if (!(leftMs > 0)) {
      return Promise.reject(refusal('DEADLINE_EXCEEDED', `no time was left to call ${method.fullName}; give the request a longer deadline`));
    }
    if (call.signals.some(({ aborted }) => aborted)) {
      return Promise.reject(refusal('CANCELLED', 'the caller went away before the call was sent'));
    }
    return next(call);
  };
}
