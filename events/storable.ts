/** A NUL or half a surrogate pair, as JSON.stringify writes them. After an odd number of other backslashes it would be text. */
const UNSTORABLE_ESCAPE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Whether Postgres takes a text as it is: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Whether Postgres takes, as jsonb, what JSON.stringify has made. */
export function isStorableJson(json: string): boolean {
  return !UNSTORABLE_ESCAPE.test(json);
}

/** As much of a text as Postgres takes, cut to a number of characters. */
export function toStorable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll('\0', '\u{FFFD}');
}
