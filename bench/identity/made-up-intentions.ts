import { type Intention, type IntentionRule, precedenceOf } from '#discovery';

/** `L4`: the two services decide. `L7`: so do path and header, of which the header has a pattern. */
export type Level = 'L4' | 'L7';

/** Whom the intentions are about. */
export const DESTINATION = 'order';
/** What L7 rules look at. */
export const REGION = { name: 'x-region', value: 'eu-west-1' } as const;

/** From `service-0` and so on; the callers come first. */
export function madeUpIntentions(count: number, level: Level, path: string): readonly Intention[] {
  return Array.from({ length: count }, (_, index) => intentionOf(nameOf(index), level === 'L4' ? ALLOW : ruleFor(path)));
}

/** Those who call, and all there is to a short list: the others in a long one are all that is different. */
export const CALLERS = 10;

export function callerNames(): readonly string[] {
  return Array.from({ length: CALLERS }, (_, index) => nameOf(index));
}

export function nameOf(index: number): string {
  return `service-${index}`;
}

const ALLOW: IntentionRule = { kind: 'action', action: 'allow' };

export function intentionOf(source: string, rule: IntentionRule): Intention {
  return { source, destination: DESTINATION, rule, description: '', precedence: precedenceOf({ source, destination: DESTINATION }), index: 1 };
}

function ruleFor(path: string): IntentionRule {
  const header = { name: REGION.name, kind: 'regex', value: 'eu-[a-z]+-[0-9]', ignoreCase: false, invert: false } as const;
  return { kind: 'permissions', permissions: [{ action: 'allow', path: { kind: 'exact', value: path }, methods: [], headers: [header] }] };
}
