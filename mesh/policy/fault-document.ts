import type { JsonValue } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';

import { type Code, CODES, refusal } from '#kit';
import { FaultPolicySchema } from '#proto/mesh/v1/policy_pb.js';

import type { OrderedFault } from './fault.ts';
import { readDocument } from './read-document.ts';
import { EVERY_SERVICE, type Target } from './target.ts';

/** The fault of a target from its JSON form, a `mesh.v1.FaultPolicy`. INVALID_ARGUMENT with what is wrong with it. */
export function readFaultDocument(target: Target, json: Readonly<Record<string, JsonValue>>): OrderedFault {
  if (target.service === EVERY_SERVICE) throw refusal('INVALID_ARGUMENT', 'a fault is for one service, such as payment, or one method of it, such as payment.Charge');
  const { owner, reason, percent, delayMs, abort, expireTime } = readDocument(FaultPolicySchema, json);
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
