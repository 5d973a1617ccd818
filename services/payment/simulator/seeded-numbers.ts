/** Numbers in [0, 1) that are the same for the same seed: Marsaglia's xorshift with 32 bits (Journal of Statistical Software 8, 2003). */
export function seededNumbers(seed: number): () => number {
  // Seeds next to each other begin far apart, and none is the 0 at which the generator would stand still.
  let state = (Math.imul(seed | 0, 0x9e37_79b1) ^ 0x5bd1_e995) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
