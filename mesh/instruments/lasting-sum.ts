/** What has counted something, and may go away. */
export interface Counted {
  readonly id: string;
  readonly ejections: number;
}

/** The sum of counts that only grow, of things that come and go. Asked with those that are there now. */
export type LastingSum = (present: readonly Counted[]) => number;

/**
 * An instance takes its count with it when it leaves the registry, and a total must not fall: a collector would take
 * that for a restart, and count everything that is left once more. Instance `a` with 2 and `b` with 3 are 5; 5 also
 * when `b` has left; 6 when it is back and was left out once.
 */
export function createLastingSum(): LastingSum {
  let total = 0;
  let before = new Map<string, number>();
  return (present) => {
    const now = new Map(present.map(({ id, ejections }) => [id, ejections]));
    for (const [id, count] of now) {
      const known = before.get(id) ?? 0;
      // Less than before: it left, and came back as a new one.
      total += count >= known ? count - known : count;
    }
    before = now;
    return total;
  };
}
