import { criticalPath, ownTimes } from './critical-path.ts';
import { failuresOf, reasonOf } from './failures.ts';
import { pathShares } from './path-shares.ts';
import { gapsOf } from './trace-gaps.ts';
import { endOf, type LinkedSpan, type TraceNode, type TraceTree, walk } from './trace-tree.ts';

/** A trace for programs. The spans are a list, parents first, because a nested tree may be too deep to be read. */
export interface TraceDescription {
  readonly traceId: string;
  /** Without {@link missing}. */
  readonly complete: boolean;
  readonly missing: readonly string[];
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly criticalPath: ReturnType<typeof pathShares>;
  readonly errors: readonly object[];
  readonly linkedTraces: readonly string[];
  readonly warnings: readonly string[];
  readonly spans: readonly object[];
}

export function describeTrace(tree: TraceTree): TraceDescription {
  const nodes = [...walk(tree.roots)];
  const startUs = nodes.reduce((least, node) => Math.min(least, node.startUs), Infinity);
  const endUs = nodes.reduce((most, node) => Math.max(most, endOf(node)), -Infinity);
  const missing = gapsOf(tree);
  return {
    traceId: tree.traceId,
    complete: missing.length === 0,
    missing,
    startUs: nodes.length === 0 ? 0 : startUs,
    durationUs: nodes.length === 0 ? 0 : endUs - startUs,
    criticalPath: pathShares(tree),
    errors: failuresOf(tree).map(({ node: { spanId, service, name: operation }, reason, sentence }) => {
      return { spanId, service, operation, reason, sentence };
    }),
    linkedTraces: linkedTraces(tree),
    warnings: tree.warnings,
    spans: spansOf(tree, nodes),
  };
}

/** Ids of other traces that spans of this one continue. */
export function linkedTraces({ roots, traceId }: TraceTree): readonly string[] {
  const links = [...walk(roots)].flatMap((node): readonly LinkedSpan[] => node.links);
  return [...new Set(links.map((link) => link.traceId))].filter((id) => id !== traceId);
}

function spansOf(tree: TraceTree, nodes: readonly TraceNode[]): object[] {
  const own = ownTimes(criticalPath(tree));
  const parents = new Map(nodes.flatMap(({ spanId, children }) => children.map((child) => [child, spanId])));
  return nodes.map((node) => {
    const { children: _, missingParent, ...span } = node;
    const parentSpanId = parents.get(node) ?? missingParent;
    return { ...span, parentSpanId, reason: reasonOf(node), criticalUs: own.get(node) ?? 0 };
  });
}
