import { type MeshError, refusal } from '#kit';

import type { Method } from '../method.ts';
import { pairInWords } from './in-words.ts';
import type { IntentionVerdict } from './verdict.ts';

/** A call that an intention, or the default, did not let in. */
export interface Denial {
  /** Registry name of the service that called; empty where nothing proved one. */
  readonly source: string;
  readonly destination: string;
  /** Such as `shop.payment.v1.PaymentService/Charge`. */
  readonly method: string;
  /** `order => payment`, or `default deny`. */
  readonly rule: string;
  /** Of the rule, counted from 1; undefined for one that has none. */
  readonly permission: number | undefined;
}

export function denialOf(source: string, destination: string, { fullName }: Method, verdict: IntentionVerdict): Denial {
  const by = verdict.by === 'default' ? { rule: 'default deny', permission: undefined } : { rule: pairInWords(verdict.intention), permission: verdict.permission };
  return { source, destination, method: fullName, ...by };
}

/** PERMISSION_DENIED, with who decided. Values and patterns that a rule asks for are left out: they may be secrets. */
export function intentionDenied({ source, destination, rule, permission }: Denial, method: Method, verdict: IntentionVerdict): MeshError {
  const where = called(destination, method);
  // Only a rule for everybody fits somebody without a name.
  const [caller, hint] =
    source === ''
      ? ['a caller that proves no service', `\`npx mesh intentions allow '*' ${where}\` would allow it`]
      : [source, `\`npx mesh why ${source} ${where}\` says more, \`npx mesh intentions allow ${source} ${where}\` would allow it`];
  const sentence = `${caller} may not call ${method.fullName}: ${decidedBy(verdict)}; ${hint}`;
  const metadata = { source, destination, method: method.fullName, intention: rule, ...(permission !== undefined && { permission: String(permission) }) };
  return refusal('INTENTION_DENIED', sentence, { metadata });
}

/** As people write it: `payment.Charge` for a method of a service's main contract. */
function called(destination: string, { desc, path }: Method): string {
  return desc.parent.name.toLowerCase() === `${destination}service` ? `${destination}.${desc.name}` : `${destination} --path ${path}`;
}

function decidedBy(verdict: IntentionVerdict): string {
  if (verdict.by === 'default') {
    return verdict.unmatched ? `no permission of the intention ${pairInWords(verdict.unmatched)} fits, and the default is to deny` : 'no intention fits, and the default is to deny';
  }
  const { intention, permission } = verdict;
  if (intention.rule.kind === 'unusable') return `the intention ${pairInWords(intention)} asks for what cannot be judged here, and so denies`;
  return `the intention ${pairInWords(intention)} denies it${permission === undefined ? '' : ` by its permission ${permission}`}`;
}

/** How soon somebody who was not heard may come again. */
const AGAIN_MS = 1_000;

/** UNAVAILABLE: nothing was done, and soon it may be known. */
export function intentionsUnknown(service: string): MeshError {
  const sentence = `${service} has not learnt yet who may call it; try again in a second, or see whether Consul answers`;
  return refusal('INTENTIONS_UNKNOWN', sentence, { retry: { kind: 'not-started', afterMs: AGAIN_MS } });
}
