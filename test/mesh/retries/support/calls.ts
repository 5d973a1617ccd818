import { create, type Message } from '@bufbuild/protobuf';
import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';

import { type Clock, type Code, type ErrorDetails, MeshError, type Random } from '#kit';
import { type ClientCall, describeMethod, type Method } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { RetryBudget } from '../../../../mesh/client/budget.ts';
import type { HedgingOptions, ResendCounts } from '../../../../mesh/client/resend-options.ts';
import type { MethodPolicy } from '../../../../mesh/policy/call-policy.ts';
import { METHOD_DEFAULTS } from '../../../../mesh/policy/defaults.ts';

const unaryMethod: Method = { ...describeMethod(UserService.method.getUser), idempotent: true, hedged: false };
const streamingMethod: Method = { ...describeMethod(OrderService.method.watchOrder), idempotent: true };

export interface CallChanges {
  readonly method?: Partial<Method>;
  /** What is left of the call's deadline; default: an hour. */
  readonly leftMs?: number;
  readonly signals?: AbortSignal[];
  readonly context?: Context;
}

/** A unary call of a method that may be called twice, but for the changes. */
export function unaryCall(clock: Clock, changes: CallChanges = {}): ClientCall {
  return callOf(unaryMethod, clock, changes);
}

export function streamingCall(clock: Clock, changes: CallChanges = {}): ClientCall {
  return callOf(streamingMethod, clock, changes);
}

function callOf(base: Method, clock: Clock, { method, leftMs = 3_600_000, signals = [], context = ROOT_CONTEXT }: CallChanges): ClientCall {
  return {
    method: { ...base, ...method },
    caller: '',
    request: create(base.desc.input),
    headers: { traceparent: 'of the call' },
    timeoutMs: Infinity,
    deadline: clock.now() + leftMs,
    signals,
    context,
    attempt: { number: 1, avoid: [], stream: base.requestStreams || base.responseStreams, instance: undefined },
  };
}

/** An answer that can be told from another. */
export function answer(): Message {
  return create(unaryMethod.desc.output);
}

export function failure(code: Code, details?: ErrorDetails): MeshError {
  return new MeshError(code, code, 'it failed', details);
}

/** Near the top of what may be drawn: pauses are as long as they get. */
export const highest: Random = { number: () => 0.999, bytes: (count) => new Uint8Array(count) };

/** A budget that never ends, and counts what is paid in and what comes back. */
export function boundless(): RetryBudget & { deposits: number; refunds: number } {
  const budget = {
    ...{ deposits: 0, refunds: 0 },
    deposit: () => void (budget.deposits += 1),
    revoke: () => void (budget.deposits -= 1),
    tryWithdraw: () => true,
    refund: () => void (budget.refunds += 1),
    read: () => ({ taken: 0, refused: 0 }),
  };
  return budget;
}

/** A budget that is spent. */
export const spent: RetryBudget = {
  deposit: () => undefined,
  revoke: () => undefined,
  tryWithdraw: () => false,
  refund: () => undefined,
  read: () => ({ taken: 0, refused: 0 }),
};

export function noCounts(): ResendCounts {
  return { retries: 0, hedges: 0, hedgesWon: 0, refusedByBudget: 0 };
}

/** The defaults, but for the changes; pauses as long as they get, paid from a budget without end. */
export function resendOptions(clock: Clock, changes: Partial<HedgingOptions> = {}): HedgingOptions {
  return {
    policy: { current: METHOD_DEFAULTS },
    budget: boundless(),
    clock,
    random: highest,
    counts: noCounts(),
    schedule: () => () => undefined,
    hasOthers: () => true,
    ...changes,
  };
}

/** The default policy of a method, but for the changes. */
export function policyWith({ retries = {}, hedging = {} }: { retries?: Partial<MethodPolicy['retries']>; hedging?: Partial<MethodPolicy['hedging']> }): {
  current: MethodPolicy;
} {
  return { current: { retries: { ...METHOD_DEFAULTS.retries, ...retries }, hedging: { ...METHOD_DEFAULTS.hedging, ...hedging } } };
}
