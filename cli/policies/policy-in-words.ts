import type { EffectiveNumber, PolicyDocument } from '#mesh';

/** What a document sets, in one line: `retries.maxAttempts 2; retries.baseMs 10`. */
export function inShort(document: PolicyDocument): string {
  return joined(numbersOf(document));
}

/** What was set before and is no more, as `inShort`; empty when nothing was. */
export function numbersLost(before: PolicyDocument | undefined, after: PolicyDocument): string {
  const kept = numbersOf(after);
  return before === undefined ? '' : joined(new Map([...numbersOf(before)].filter(([name]) => !kept.has(name))));
}

export function numberInWords(value: EffectiveNumber['value']): string {
  if (value === Infinity) return 'none';
  return typeof value === 'object' ? value.join(', ') : String(value);
}

/** In words, by name such as `retries.maxAttempts`. */
function numbersOf({ parts }: PolicyDocument): ReadonlyMap<string, string> {
  return new Map(Object.entries(parts).flatMap(([section, fields]) => Object.entries(fields).map(([field, value]) => [`${section}.${field}`, numberInWords(value)] as const)));
}

function joined(numbers: ReadonlyMap<string, string>): string {
  return [...numbers].map(([name, value]) => `${name} ${value}`).join('; ');
}
