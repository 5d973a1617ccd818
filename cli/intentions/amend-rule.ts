import { isDeepStrictEqual } from 'node:util';

import type { Intention, IntentionAction, IntentionPermission, WantedIntention } from '#discovery';
import { refusal } from '#kit';
import { pairInWords } from '#mesh';

export type WantedRule = WantedIntention['rule'];

/** What to make of an intention that there is, or not. */
export interface Amendment {
  readonly action: IntentionAction;
  /** undefined: every call. */
  readonly permission: IntentionPermission | undefined;
  /** What was there may go. */
  readonly replace: boolean;
}

/**
 * The rule as it is after `mesh intentions allow` or `deny`. Among permissions a denial goes
 * first, and what is allowed goes behind the denials, but in front of one for every path: a
 * denial always takes effect, and what is allowed does unless one that was there fits it too
 * (see `withoutEffect`). What holds for every call becomes the last permission.
 * INVALID_ARGUMENT where something would be lost, or nothing changed.
 */
export function amendRule(existing: Intention | undefined, { action, permission, replace }: Amendment): WantedRule {
  if (permission === undefined) {
    if (existing && existing.rule.kind !== 'action' && !replace) throw wouldLose(existing);
    return { kind: 'action', action };
  }
  if (!existing || replace) return { kind: 'permissions', permissions: [permission] };
  const { rule } = existing;
  if (rule.kind === 'unusable') throw wouldLose(existing);
  if (rule.kind === 'permissions') return { kind: 'permissions', permissions: insert(rule.permissions, permission) };
  if (rule.action === action) {
    throw refusal('INVALID_ARGUMENT', `${pairInWords(existing)} ${action === 'allow' ? 'allows' : 'denies'} every call already; say --replace to ${action} only these`);
  }
  return { kind: 'permissions', permissions: [permission, everyPath(rule.action)] };
}

/** The rule without its nth permission, counted from 1; INVALID_ARGUMENT where it has none such, or no other. */
export function withoutPermission(existing: Intention, position: number): WantedRule {
  const permissions = existing.rule.kind === 'permissions' ? existing.rule.permissions : [];
  const count = permissions.length;
  if (position > count) throw refusal('INVALID_ARGUMENT', `${pairInWords(existing)} has ${counted(count)}; see \`npx mesh intentions list\``);
  if (count === 1) throw refusal('INVALID_ARGUMENT', `it is the only permission of ${pairInWords(existing)}; delete the intention as a whole`);
  return { kind: 'permissions', permissions: permissions.toSpliced(position - 1, 1) };
}

/** A permission for every call: a path begins with a slash. */
function everyPath(action: IntentionAction): IntentionPermission {
  return { action, path: { kind: 'prefix', value: '/' }, methods: [], headers: [] };
}

function insert(permissions: readonly IntentionPermission[], added: IntentionPermission): readonly IntentionPermission[] {
  const others = permissions.filter((known) => !isDeepStrictEqual({ ...known, action: added.action }, added));
  const last = others.findIndex((known) => isDeepStrictEqual(known, everyPath(known.action)));
  const behindDenials = last < 0 ? others.length : last;
  return others.toSpliced(added.action === 'deny' && !isDeepStrictEqual(added, everyPath('deny')) ? 0 : behindDenials, 0, added);
}

function wouldLose(existing: Intention): Error {
  const { rule } = existing;
  const what = rule.kind === 'permissions' ? counted(rule.permissions.length) : 'more than this program knows';
  return refusal('INVALID_ARGUMENT', `${pairInWords(existing)} has ${what}, which would be lost; say --replace if they may, or delete it first`);
}

export function counted(permissions: number): string {
  return `${permissions} permission${permissions === 1 ? '' : 's'}`;
}
