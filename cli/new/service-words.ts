import { type MeshError, refusal } from '#kit';

import { capitalized, type ServiceWords } from './model-text.ts';
import { RESERVED, RESERVED_IN_SQL } from './reserved-words.ts';

/**
 * One word is package, registry name, folder, schema, host name in docker-compose.yml and
 * the end of DATABASE_URL_…: a package takes no `-`, a host name no `_`, a schema no digit.
 */
const SHAPE = /^[a-z]{2,30}$/;

/** The words for a new service. INVALID_ARGUMENT for what cannot name one; what is taken is not looked at here. */
export function readServiceWords(name: string, plural: string = pluralOf(name)): ServiceWords {
  const words = { singular: name, plural };
  for (const word of [name, plural]) {
    if (!SHAPE.test(word)) throw unfit(words, word, shapeOf(word));
    const language = [...RESERVED.keys()].find((key) => RESERVED.get(key)?.has(word));
    if (language) throw unfit(words, word, `it is a word of ${language}`);
  }
  // The name is only ever a quoted schema, or a part of another word.
  if (RESERVED_IN_SQL.has(plural)) throw unfit(words, plural, 'it is a word of SQL');
  if (capitalized(name) in globalThis) throw unfit(words, name, `${capitalized(name)} is a name of JavaScript's own`);
  if (plural === name) throw unfit(words, plural, 'it is the name itself, and both stand side by side');
  return words;
}

/** English's simple rules; `--plural` says what they get wrong. */
function pluralOf(name: string): string {
  // Already a plural, or one of many exceptions.
  if (/[^su]s$/.test(name)) throw refusal('INVALID_ARGUMENT', `"${name}" looks like a plural: name the service after one of them, or say by --plural what several are called`);
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh)$/.test(name) ? `${name}es` : `${name}s`;
}

function shapeOf(word: string): string {
  const letters = word.toLowerCase().replaceAll(/[^a-z]/g, '');
  const hint = SHAPE.test(letters) ? `, such as ${letters}` : '';
  return `it must be 2 to 30 lower-case letters${hint}, for it is also a package, a host name, a schema and the end of DATABASE_URL_…`;
}

/** Why a service cannot have this one of its words. */
export function unfit({ singular }: ServiceWords, word: string, why: string): MeshError {
  const what = word === singular ? 'name a service' : `be the plural of ${singular} (--plural sets another one)`;
  return refusal('INVALID_ARGUMENT', `"${word}" cannot ${what}: ${why}`);
}
