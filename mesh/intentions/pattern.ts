import { RE2JS } from '@bufbuild/re2';

/** Longest pattern, in characters. With the 1,000 repetitions that RE2 allows it compiles to a few tens of MB at worst. */
export const MAX_PATTERN_LENGTH = 1_024;

/**
 * Says whether a text fits a pattern of RE2, whole, as Envoy asks of it
 * (https://github.com/google/re2/wiki/Syntax). The engine is an automaton: its time grows with
 * the length of the text only, whatever the pattern, so that no header can hold the event loop;
 * look-around and back-references, which would need more, are no syntax of RE2. Throws with a
 * sentence for a pattern that is none, or too long.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new Error(`its pattern has ${pattern.length} characters, at most ${MAX_PATTERN_LENGTH} can be used`);
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.testExact(text);
  } catch (cause) {
    throw new Error(`its pattern ${JSON.stringify(pattern)} is none of RE2: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
