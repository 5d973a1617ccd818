import { criticalPath } from './critical-path.ts';
import type { SpanKindName, TraceTree } from './trace-tree.ts';

/** What the spans of one operation of a service had on the critical path, all together. */
export interface PathShare {
  /** All three are empty for pauses. */
  readonly service: string;
  readonly operation: string;
  readonly kind: SpanKindName | '';
  /** Microseconds; those of all shares are the trace's duration. */
  readonly us: number;
  /** Of the trace's duration, 0 to 1. */
  readonly share: number;
  /** How many spans, or pauses. */
  readonly count: number;
}

interface Sum {
  readonly service: string;
  readonly operation: string;
  readonly kind: SpanKindName | '';
  us: number;
  readonly members: Set<unknown>;
}

/** The critical path by service, operation and kind, the largest share first. */
export function pathShares(tree: TraceTree): readonly PathShare[] {
  const path = criticalPath(tree);
  const totalUs = (path.at(-1)?.toUs ?? 0) - (path[0]?.fromUs ?? 0);
  const sums = new Map<string, Sum>();
  for (const stretch of path) {
    const { service = '', name: operation = '', kind = '' } = stretch.node ?? {};
    const key = JSON.stringify([service, operation, kind]);
    const sum = sums.get(key) ?? { service, operation, kind, us: 0, members: new Set() };
    sum.us += stretch.toUs - stretch.fromUs;
    sum.members.add(stretch.node ?? stretch);
    sums.set(key, sum);
  }
  return Array.from(sums.values(), ({ members, ...sum }) => {
    return { ...sum, share: sum.us / totalUs, count: members.size };
  }).sort((a, b) => b.us - a.us);
}
