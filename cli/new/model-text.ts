import { type MeshError, refusal } from '#kit';

/** What a new service is called, in the forms that its files need. */
export interface ServiceWords {
  /** Registry name, package, folder and schema, such as `review`. */
  readonly singular: string;
  /** The table and the list, such as `reviews`. */
  readonly plural: string;
}

/** A piece of a model's text, and what stands in its place in what is written after it. */
export interface Change {
  readonly find: string | RegExp;
  readonly put: string;
  /** How often it is there, exactly. Default 1. */
  readonly times?: number;
}

/** The service whose files are the model of every new one. */
export const MODEL = 'user';

/** Not in any case: the s of UserService is no plural. */
const MODEL_WORD = /users?|Users?|USERS?/g;

/** Makes the changes one after the other; INTERNAL when the text is no longer one that they were written for. */
export function applyChanges(path: string, text: string, changes: readonly Change[]): string {
  return changes.reduce((changed, { find, put, times = 1 }) => {
    const parts = changed.split(find);
    if (parts.length === times + 1) return parts.join(put);
    throw outdated(path, `holds ${String(find)} ${parts.length - 1} times instead of ${times}`);
  }, text);
}

/** The one place in a text that matches; INTERNAL when there is none, or more than one. */
export function findOnce(path: string, text: string, pattern: RegExp): string {
  const [found, ...others] = text.match(new RegExp(pattern, 'gm')) ?? [];
  if (found !== undefined && others.length === 0) return found;
  throw outdated(path, `holds ${String(pattern)} ${found === undefined ? 0 : others.length + 1} times instead of once`);
}

/** The model's word in every form gives way to the new one's, with the article that it takes. */
export function rename(text: string, { singular, plural }: ServiceWords): string {
  const article = /^(?!uni|use|eu|one)[aeiou]/.test(singular) ? 'n' : '';
  const withArticles = text.replaceAll(/\b([Aa])( `?user)(?!s)/g, `$1${article}$2`);
  return withArticles.replaceAll(MODEL_WORD, (word) => inCaseOf(word, word.length > MODEL.length ? plural : singular));
}

/** What stays of a text without the model's word. */
export function withoutModelWord(text: string): string {
  return text.replaceAll(MODEL_WORD, '');
}

export function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function inCaseOf(pattern: string, word: string): string {
  if (pattern === pattern.toLowerCase()) return word;
  return pattern === pattern.toUpperCase() ? word.toUpperCase() : capitalized(word);
}

/** The files have moved on since the changes were written: better no service than one that is wrong. */
export function outdated(path: string, what: string): MeshError {
  return refusal('INTERNAL', `${path} ${what}, so no service can be written after it; bring cli/new in line with it (nothing was written)`);
}
