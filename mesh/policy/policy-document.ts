import type { JsonValue, Message } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';

import { type Code, CODES, refusal } from '#kit';
import { type CircuitPolicy, type Policy, PolicySchema, type RetryPolicy } from '#proto/mesh/v1/policy_pb.js';

import type { Circuit, Retries } from './call-policy.ts';
import { readDocument } from './read-document.ts';
import { METHOD_SECTIONS, type PolicyParts } from './sections.ts';
import { type Target, targetText } from './target.ts';

/** What an operator wants of a target's calls. */
export interface PolicyDocument {
  readonly owner: string;
  readonly reason: string;
  /** Counts no more from then on, in milliseconds since the epoch; Infinity: it holds until it is deleted. */
  readonly expiresMs: number;
  readonly parts: PolicyParts;
}

/**
 * The document of a target from its JSON form, a `mesh.v1.Policy`. INVALID_ARGUMENT with what is wrong with it, also when
 * it sets for one method what holds for a service as a whole, such as its budget.
 */
export function readPolicyDocument(target: Target, json: Readonly<Record<string, JsonValue>>): PolicyDocument {
  const policy = readDocument(PolicySchema, json);
  const parts = partsOf(policy);
  if (target.method !== undefined) refusePartsOfServices(target, parts);
  return { owner: policy.owner, reason: policy.reason, expiresMs: policy.expireTime ? timestampMs(policy.expireTime) : Infinity, parts };
}

function refusePartsOfServices(target: Target, parts: PolicyParts): void {
  const foreign = Object.keys(parts).find((name) => !METHOD_SECTIONS.some((section) => section === name));
  if (foreign === undefined) return;
  throw refusal('INVALID_ARGUMENT', `${foreign} holds for all methods of a service: set it for ${target.service}, not for ${targetText(target)}`);
}

function partsOf({ retries, hedging, budget, balancing, ejection, circuit, admission }: Policy): PolicyParts {
  return {
    ...(retries && { retries: retriesOf(retries) }),
    ...(hedging && { hedging: fieldsSet(hedging) }),
    ...(budget && { budget: fieldsSet(budget) }),
    ...(balancing && { balancing: fieldsSet(balancing) }),
    ...(ejection && { ejection: fieldsSet(ejection) }),
    ...(circuit && { circuit: circuitOf(circuit) }),
    ...(admission && { admission: fieldsSet(admission) }),
  };
}

function retriesOf(retries: RetryPolicy): Partial<Retries> {
  const { codes, perTryTimeoutMs, ...others } = fieldsSet(retries);
  return {
    ...others,
    ...(perTryTimeoutMs !== undefined && { perTryTimeoutMs: zeroIsNone(perTryTimeoutMs) }),
    // The contract takes numbers of codes only, and not that of OK.
    ...(codes && codes.length > 0 && { codes: codes.map((code) => CODES[code] as Code) }),
  };
}

function circuitOf(circuit: CircuitPolicy): Partial<Circuit> {
  const { maxInFlight, ...others } = fieldsSet(circuit);
  return { ...others, ...(maxInFlight !== undefined && { maxInFlight: zeroIsNone(maxInFlight) }) };
}

/** A document says 0 where there is to be no bound: JSON knows no Infinity. */
function zeroIsNone(bound: number): number {
  return bound === 0 ? Infinity : bound;
}

type SetFields<M> = { [Field in Exclude<keyof M, keyof Message>]?: Exclude<M[Field], undefined> };

/** The fields of a message that were set, under the names that they have in the mechanisms. */
function fieldsSet<M extends Message>(message: M): SetFields<M> {
  const set = Object.entries(message).filter(([name, value]) => !name.startsWith('$') && value !== undefined);
  // Left out is only what the result's type leaves out.
  return Object.fromEntries(set) as SetFields<M>;
}
