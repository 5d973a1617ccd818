import { type HeaderMatch, type Intention, type IntentionAction, type IntentionPermission, precedenceOf } from '#discovery';

import { type IntentionRequest, intentionRequest } from '../../../mesh/intentions/request.ts';

type Rule = Intention['rule'] | IntentionAction | readonly IntentionPermission[];

/** An intention as `list` answers it: `intention('order', 'payment', 'allow')`. */
export function intention(source: string, destination: string, rule: Rule, more: Partial<Intention> = {}): Intention {
  return { source, destination, rule: ruleOf(rule), description: '', precedence: precedenceOf({ source, destination }), index: 1, ...more };
}

function ruleOf(rule: Rule): Intention['rule'] {
  if (typeof rule === 'string') return { kind: 'action', action: rule };
  return 'kind' in rule ? rule : { kind: 'permissions', permissions: rule };
}

export function permission(action: IntentionAction, more: Partial<Omit<IntentionPermission, 'action'>>): IntentionPermission {
  return { action, path: undefined, methods: [], headers: [], ...more };
}

export function header(name: string, kind: HeaderMatch['kind'], value = '', more: Partial<HeaderMatch> = {}): HeaderMatch {
  return { name, kind, value, ignoreCase: false, invert: false, ...more };
}

/** `GET /v2/widgets`. */
export function request(line: string, headers: Record<string, string | string[]> = {}): IntentionRequest {
  const [method = '', path = ''] = line.split(' ');
  return { ...intentionRequest(path, headers), method };
}
