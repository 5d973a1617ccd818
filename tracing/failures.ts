import { type TraceNode, type TraceTree, walk } from './trace-tree.ts';
import { REASON_ATTRIBUTE } from './with-span.ts';

/** Where an error of the trace came from: the lowest span that has it, and not those that passed it on. */
export interface Failure {
  readonly node: TraceNode;
  /** `CARD_DECLINED`; of other software's spans their `error.type`. Empty when the span does not say. */
  readonly reason: string;
  /** Empty when nobody wrote one down. */
  readonly sentence: string;
}

/**
 * The errors of a trace, in the order in which their spans started. A refusal is one also where whoever gave it took it
 * for an answer like others.
 */
export function failuresOf({ roots }: TraceTree): readonly Failure[] {
  const parents = new Map<TraceNode, TraceNode>();
  const failures: Failure[] = [];
  for (const node of walk(roots)) {
    for (const child of node.children) parents.set(child, node);
    if (!isFailed(node)) continue;
    const reason = reasonOf(node);
    if (node.children.some((child) => isFailed(child) && reasonOf(child) === reason)) continue;
    failures.push({ node, reason, sentence: sentenceOf(node, parents) });
  }
  return failures.sort((a, b) => a.node.startUs - b.node.startUs);
}

/** Why the span failed or refused; empty when it did not, or does not say. */
export function reasonOf({ attributes }: TraceNode): string {
  return String(attributes[REASON_ATTRIBUTE] ?? attributes['error.type'] ?? '');
}

function isFailed(node: TraceNode): boolean {
  return node.status === 'error' || reasonOf(node) !== '';
}

/** Who refuses for the caller's fault does not mark its own span as failed, and has no sentence there; its caller does. */
function sentenceOf(node: TraceNode, parents: ReadonlyMap<TraceNode, TraceNode>): string {
  const reason = reasonOf(node);
  for (let at: TraceNode | undefined = node; at !== undefined && reasonOf(at) === reason; at = parents.get(at)) {
    if (at.statusMessage !== '') return at.statusMessage;
  }
  return '';
}
