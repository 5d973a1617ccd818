import { MeshError, type Random } from '#kit';

/** The refusal that `act` throws. */
export function refusalOf(act: () => unknown): MeshError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof MeshError) return thrown;
    throw thrown;
  }
  throw new Error('it was expected to be refused');
}

/** Numbers that look random and are the same in every run (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed;
  const number = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { number, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(number() * 256)) };
}
