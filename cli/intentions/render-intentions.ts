import type { Intention } from '#discovery';
import { pairInWords, permissionInWords } from '#mesh';

import { table } from '../output.ts';

/** A line for each intention, and one for each of its permissions. */
export function renderIntentions(intentions: readonly Intention[]): string {
  const rows = intentions.flatMap((intention) => {
    const { source, destination, precedence, description, elsewhere } = intention;
    const from = elsewhere === undefined ? source : `${elsewhere}/${source}`;
    const [first = '', ...others] = ruleInLines(intention);
    return [[from, destination, first, String(precedence), description || '-'], ...others.map((line) => ['', '', line, '', ''])];
  });
  return table([['SOURCE', 'DESTINATION', 'SAYS', 'PRECEDENCE', 'WHY'], ...rows]);
}

/** One intention with all that it says: `order => payment: allow (precedence 9)`. */
export function renderIntention(intention: Intention): string {
  const [first = '', ...others] = ruleInLines(intention);
  const lines = others.length > 0 ? `\n${[first, ...others].map((line) => `  ${line}`).join('\n')}` : ` ${first}`;
  return `${pairInWords(intention)} (precedence ${intention.precedence}):${lines}`;
}

/** For programs: what is not said is not there. */
export function intentionForPrograms({ rule, source, destination, description, precedence, index, elsewhere }: Intention): object {
  const { kind: _kind, ...said } = rule;
  return { source, destination, ...said, precedence, description, index, ...(elsewhere !== undefined && { elsewhere }) };
}

function ruleInLines({ rule }: Intention): readonly string[] {
  switch (rule.kind) {
    case 'action':
      return [rule.action];
    case 'permissions':
      return rule.permissions.map((permission, index) => `${index + 1} ${permissionInWords(permission)}`);
    case 'unusable':
      return [`deny, for it cannot be used: ${rule.problem}`];
  }
}
