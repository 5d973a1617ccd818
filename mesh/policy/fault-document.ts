import type { JsonValue } from '@bufbuild/protobuf';
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';

import { type Code, CODES, refusal } from '#kit';
import { FaultPolicySchema } from '#proto/mesh/v1/policy_pb.js';

import type { OrderedFault } from './fault.ts';
import { readDocument } from './read-document.ts';
import { EVERY_SERVICE, type Target } from './target.ts';

/** How far the clock of whoever orders a fault may be ahead of ours: five minutes, as Kerberos allows by default. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * The fault of a target from its JSON form, a `mesh.v1.FaultPolicy`. INVALID_ARGUMENT with what is wrong with it, also
 * when it was created after now: the contract bounds it to a day from its createTime, so one of next year would hold
 * until then. `nowMs` is in milliseconds since the epoch.
 */
export function readFaultDocument(target: Target, json: Readonly<Record<string, JsonValue>>, nowMs: number): OrderedFault {
  if (target.service === EVERY_SERVICE) throw refusal('INVALID_ARGUMENT', 'a fault is for one service, such as payment, or one method of it, such as payment.Charge');
  const { owner, reason, percent, delayMs, abort, createTime, expireTime } = readDocument(FaultPolicySchema, json);
  refuseFuture(createTime, nowMs);
  return {
    ...target,
    owner,
    reason,
    percent,
    delayMs,
    // The contract takes numbers of codes only; that of OK means none.
    abort: abort === 0 ? undefined : (CODES[abort] as Code),
    // The contract requires it.
    untilMs: expireTime ? timestampMs(expireTime) : 0,
  };
}

function refuseFuture(createTime: Timestamp | undefined, nowMs: number): void {
  if (!createTime || timestampMs(createTime) <= nowMs + CLOCK_SKEW_MS) return;
  const [created, now] = [timestampMs(createTime), nowMs].map((ms) => new Date(ms).toISOString());
  throw refusal('INVALID_ARGUMENT', `createTime: a fault begins when it is ordered, and ${created} is yet to come: it is ${now} here; order it again, and look at the clocks`);
}
