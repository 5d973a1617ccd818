import type { Clock } from '#kit';

import type { AccessToken } from './access-token.ts';

/** Tokens kept at most: some 2 MB. */
const MAX_TOKENS = 2_000;
/** How long a signature is not checked again. As long as a key set may hold a key that was taken back. */
const KEEP_MS = 60_000;

interface Recent {
  readonly token: AccessToken;
  readonly readMs: number;
}

/**
 * What was read lately of tokens whose signature was good: a person's calls bring the same one for minutes, and a check of
 * its signature costs 100 µs or more. Only good ones are kept, so forged ones push nothing out.
 */
export function createRecentTokens(clock: Clock): { find(text: string): AccessToken | undefined; add(text: string, token: AccessToken): void } {
  /** In the order in which they came. */
  const recent = new Map<string, Recent>();

  return {
    find(text) {
      const found = recent.get(text);
      const ageMs = found ? clock.now() - found.readMs : 0;
      if (found && ageMs >= 0 && ageMs < KEEP_MS) return found.token;
      recent.delete(text);
      return undefined;
    },
    add(text, token) {
      recent.set(text, { token, readMs: clock.now() });
      const [oldest] = recent.keys();
      if (recent.size > MAX_TOKENS && oldest !== undefined) recent.delete(oldest);
    },
  };
}
