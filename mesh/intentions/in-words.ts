import type { HeaderMatch, Intention, IntentionPermission } from '#discovery';

import type { IntentionVerdict } from './verdict.ts';

/** `order => payment`. */
export function pairInWords({ source, destination, elsewhere }: Pick<Intention, 'source' | 'destination' | 'elsewhere'>): string {
  return `${elsewhere === undefined ? '' : `${elsewhere}/`}${source} => ${destination}`;
}

/** `deny path /shop.payment.v1.PaymentService/Refund, header x-role = staff`. */
export function permissionInWords({ action, path, methods, headers }: IntentionPermission): string {
  const conditions = [
    ...(path ? [`path ${path.kind === 'exact' ? '' : `${path.kind} `}${path.value}`] : []),
    ...(methods.length > 0 ? [`method ${methods.join(' or ')}`] : []),
    ...headers.map(headerInWords),
  ];
  return `${action} ${conditions.join(', ')}`;
}

/** Who said so, for logs, errors and people: `order => payment (precedence 9), permission 2`. */
export function verdictInWords(verdict: IntentionVerdict): string {
  if (verdict.by === 'default') {
    const why = verdict.unmatched ? `no permission of ${pairInWords(verdict.unmatched)} fits` : 'no intention fits';
    return `the default, ${verdict.allowed ? 'allow' : 'deny'}: ${why}`;
  }
  const { intention, permission } = verdict;
  const which = `${pairInWords(intention)} (precedence ${intention.precedence})`;
  if (intention.rule.kind === 'unusable') return `${which}, which cannot be used and so denies: ${intention.rule.problem}`;
  return permission === undefined ? which : `${which}, permission ${permission}`;
}

const SIGNS = { exact: '=', prefix: 'begins with', suffix: 'ends with', contains: 'contains', regex: 'fits' } as const;

function headerInWords({ name, kind, value, ignoreCase, invert }: HeaderMatch): string {
  if (kind === 'present') return `${invert ? 'no header' : 'header'} ${name}`;
  return `header ${name} ${invert ? 'not ' : ''}${SIGNS[kind]} ${value}${ignoreCase ? ' in any case' : ''}`;
}
