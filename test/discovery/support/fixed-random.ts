import type { Random } from '#kit';

/** The middle of every range: jitter leaves a time as it is. */
export const fixedRandom: Random = {
  number: () => 0.5,
  bytes: (count) => new Uint8Array(count).fill(7),
};
