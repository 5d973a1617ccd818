import type { Instance } from './control-plane.ts';

/** More than this many turns in a round for one instance buys nothing but long lists. */
const MAX_TURNS = 10;

/**
 * A round of turns: each instance as often as its weight says, evenly spread.
 * Round robin over it honours weights (1 and 3: b a b b). The smallest common
 * measure is taken out first (100 and 300 are 1 and 3); beyond a ratio of 10 the
 * heaviest gets 10 turns and the others their share, at least one.
 */
export function weightedRound(instances: readonly Instance[]): readonly Instance[] {
  const measure = instances.reduce((common, { weight }) => greatestCommonDivisor(weight, common), 0) || 1;
  const heaviest = Math.max(...instances.map(({ weight }) => weight / measure));
  const scale = heaviest > MAX_TURNS ? MAX_TURNS / heaviest : 1;
  const turns = instances.flatMap((instance) => {
    const count = Math.max(1, Math.round((instance.weight / measure) * scale));
    return Array.from({ length: count }, (_, turn) => ({ instance, at: (turn + 0.5) / count }));
  });
  return turns.toSorted((one, other) => one.at - other.at).map(({ instance }) => instance);
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}
