import { type TraceNode, type TraceTree, walk } from '#tracing';

/** A trace up to its answer: without what publishes its events, and what consumers do about them, which may take its time. */
export function answeredPart(tree: TraceTree): TraceTree {
  const roots = withoutEvents(tree.roots);
  return { ...tree, roots, spanCount: [...walk(roots)].length };
}

function withoutEvents(nodes: readonly TraceNode[]): TraceNode[] {
  const answered = nodes.filter(({ kind }) => kind !== 'producer' && kind !== 'consumer');
  return answered.map((node) => ({ ...node, children: withoutEvents(node.children) }));
}
