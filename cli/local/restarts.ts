import type { MeshError } from '#kit';

/** Starts in a row that bring nothing before a process is given up: after about 0, 0.5, 1.5, 3.5 and 7.5 s, and what the starts take. */
const MAX_FRUITLESS = 5;

/** How one life of a process went. */
export type Life =
  /** It served, for so long. */
  | { readonly kind: 'served'; readonly forMs: number }
  /** It never did. */
  | { readonly kind: 'failed'; readonly error: MeshError };

/** What to do after it. */
export type Verdict = { readonly kind: 'again'; /** For the backoff, from 1. */ readonly attempt: number } | { readonly kind: 'give-up'; readonly starts: number };

/**
 * Decides about the next start of a process that ended. The backoff begins anew only
 * after a life of `steadyMs`: else a process that dies right after each start would be run
 * again twice a second for ever. Given up is one that fails to start for reasons of its
 * own; while a server it stands on is away (UNAVAILABLE) it is tried for ever, for it will
 * serve when that is back.
 */
export function createRestarts(steadyMs: number): (life: Life) => Verdict {
  let short = 0;
  let fruitless = 0;
  return (life) => {
    short = life.kind === 'served' && life.forMs >= steadyMs ? 1 : short + 1;
    if (life.kind === 'served') fruitless = 0;
    else if (life.error.code !== 'UNAVAILABLE') fruitless += 1;
    return fruitless >= MAX_FRUITLESS ? { kind: 'give-up', starts: fruitless } : { kind: 'again', attempt: short };
  };
}
