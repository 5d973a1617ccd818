import { invalid, notCovered } from './answer.ts';

/**
 * Parameters under the names they have on the wire, such as `metadata[order_id]`.
 * What is used here nests one level deep, so nothing is gained by building a tree.
 */
export type Form = ReadonlyMap<string, string>;

/** Reads `application/x-www-form-urlencoded` text: a body, or a query string. */
export function parseForm(text: string): Form {
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (form.has(name)) throw invalid(`Received ${name} more than once.`, { param: name });
    // Postgres cannot store it.
    if (`${name}${value}`.includes('\0')) throw invalid(`Invalid string: ${name} has a null character.`, { param: name });
    form.set(name, value);
  }
  return form;
}

/** The same parameters give the same text, in whatever order they came. */
export function canonicalForm(form: Form): string {
  return JSON.stringify([...form].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Refuses what is not in `names`; a name ending in `[]` stands for every key below it. */
export function takeOnly(form: Form, names: readonly string[]): void {
  for (const name of form.keys()) {
    const family = name.replace(/\[[^\]]+\]$/, '[]');
    if (!names.includes(name) && !names.includes(family)) throw notCovered(`the parameter ${name} here`);
  }
}

export function required(form: Form, name: string): string {
  const value = form.get(name);
  if (value) return value;
  throw invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name });
}

/** The keys and values below `name`, such as `order_id` of `metadata[order_id]`. */
export function below(form: Form, name: string): Record<string, string> {
  const prefix = `${name}[`;
  const entries = [...form].filter(([key]) => key.startsWith(prefix) && key.endsWith(']'));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length, -1), value]));
}

/** A whole number within `min` and `max`. */
export function integerIn(form: Form, name: string, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
  const text = form.get(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw invalid(`Invalid integer: ${text}; it must be from ${min} to ${max}.`, { code: 'parameter_invalid_integer', param: name });
}
