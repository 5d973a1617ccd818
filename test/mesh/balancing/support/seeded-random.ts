import type { Random } from '#kit';

/** The same numbers in every run, spread as evenly as real ones (a linear congruential generator, constants of Numerical Recipes). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
  return {
    number: () => next() / 2 ** 32,
    bytes: (count) => Uint8Array.from({ length: count }, () => next() >>> 24),
  };
}
