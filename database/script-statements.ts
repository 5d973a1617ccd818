/** One statement of a script. */
export interface ScriptStatement {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** What a semicolon may stand in without ending a statement, or else any one character (https://www.postgresql.org/docs/18/sql-syntax-lexical.html). */
const TOKEN = new RegExp(
  [
    String.raw`(?<blank>\s+|--[^\n]*|\/\*[^]*?\*\/)`,
    String.raw`[eE]'(?:[^'\\]|\\[^]|'')*'`,
    String.raw`'(?:[^']|'')*'`,
    String.raw`"(?:[^"]|"")*"`,
    String.raw`(?<tag>\$(?:[A-Za-z_]\w*)?\$)[^]*?\k<tag>`,
    '[^]',
  ].join('|'),
  'g',
);

/**
 * The statements of a script, in order, for naming the one that failed. Good for what migrations hold: not for
 * comments within comments, nor for function bodies between BEGIN ATOMIC and END.
 */
export function scriptStatements(script: string): ScriptStatement[] {
  const statements: ScriptStatement[] = [];
  let begin: number | undefined;
  const close = (end: number): void => {
    if (begin === undefined) return;
    const text = script.slice(begin, end).trim();
    statements.push({ line: script.slice(0, begin).split('\n').length, text });
    begin = undefined;
  };
  for (const { 0: token, index, groups } of script.matchAll(TOKEN)) {
    if (token === ';') close(index);
    else if (groups?.['blank'] === undefined) begin ??= index;
  }
  close(script.length);
  return statements;
}
