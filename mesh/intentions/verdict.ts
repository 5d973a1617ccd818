import type { Intention, IntentionAction, IntentionPermission } from '#discovery';

import { compilePermission, type Fits } from './compile-permission.ts';
import type { IntentionRequest } from './request.ts';

/** Whether a call may be, and by whose word. */
export type IntentionVerdict = { readonly allowed: boolean } & (
  /** `permission` counts from 1; undefined for an intention that has none. One that cannot be used denies. */
  | { readonly by: 'intention'; readonly intention: Intention; readonly permission: number | undefined }
  /** Either no intention fits, or the one that decides has no permission that does. */
  | { readonly by: 'default'; readonly unmatched: Intention | undefined }
);

/** What an intention says of a call. Its verdicts are made once: to give one costs nothing. */
export type Decide = (request: IntentionRequest) => IntentionVerdict;

export function defaultVerdict(action: IntentionAction, unmatched: Intention | undefined): IntentionVerdict {
  return { allowed: action === 'allow', by: 'default', unmatched };
}

export function compileIntention(intention: Intention, defaultAction: IntentionAction): Decide {
  const { rule } = intention;
  if (rule.kind === 'permissions') return compiledOnUse(intention, rule.permissions, defaultAction);
  const allowed = rule.kind === 'action' && rule.action === 'allow';
  return always({ allowed, by: 'intention', intention, permission: undefined });
}

function always(verdict: IntentionVerdict): Decide {
  return () => verdict;
}

type Permissions = readonly IntentionPermission[];

/** At the first call that it decides: a pattern takes part of a millisecond, and most intentions are not asked at all. */
function compiledOnUse(intention: Intention, permissions: Permissions, defaultAction: IntentionAction): Decide {
  let decide: Decide | undefined;
  return (request) => (decide ??= compilePermissions(intention, permissions, defaultAction))(request);
}

/** Where none fits, Consul falls back to the default, not to a weaker intention: that one is shadowed for this source. */
function compilePermissions(intention: Intention, permissions: Permissions, defaultAction: IntentionAction): Decide {
  const otherwise = defaultVerdict(defaultAction, intention);
  let compiled: readonly { readonly fits: Fits; readonly verdict: IntentionVerdict }[];
  try {
    compiled = permissions.map((permission, index) => ({
      fits: compilePermission(permission),
      verdict: { allowed: permission.action === 'allow', by: 'intention', intention, permission: index + 1 },
    }));
  } catch (thrown) {
    // To pass the permission over could let in whom it denies.
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    return always({ allowed: false, by: 'intention', intention: { ...intention, rule: { kind: 'unusable', problem } }, permission: undefined });
  }
  return (request) => {
    for (const { fits, verdict } of compiled) if (fits(request)) return verdict;
    return otherwise;
  };
}
