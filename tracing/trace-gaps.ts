import { printable } from '#kit';

import { type TraceNode, type TraceTree, walk } from './trace-tree.ts';
import { plural, shortName } from './trace-text.ts';

/** Codes with which a call may end that never reached the callee, or whose callee still works. */
const UNANSWERED: ReadonlySet<unknown> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED']);

/**
 * What the trace lacks, one clause each; none when it is complete. Every process sends its spans in its own time: the
 * trace is complete when each span has its parent, and each call the callee's span, which ends after those below it.
 */
export function gapsOf({ roots, spanCount }: TraceTree): readonly string[] {
  if (spanCount === 0) return ['all of its spans'];
  const orphans = roots.filter(({ missingParent }) => missingParent !== '').map(({ missingParent }) => missingParent);
  const calls = [...walk(roots)].filter(isWithoutCallee).map(({ name }) => shortName(name));
  return [
    ...unique(orphans).map((id) => `the parent span ${printable(id)}`),
    ...unique(calls).map((name) => `the callee's side of ${name}`),
  ];
}

export function isComplete(tree: TraceTree): boolean {
  return gapsOf(tree).length === 0;
}

/** {@link gapsOf} as a sentence; empty for a complete trace. */
export function describeGaps(tree: TraceTree): string {
  const gaps = gapsOf(tree);
  if (gaps.length === 0) return '';
  const more = gaps.length > 3 ? ` and ${plural(gaps.length - 3, 'more span')}` : '';
  return `the trace is not complete; missing: ${gaps.slice(0, 3).join(', ')}${more}`;
}

/** A call to a service of ours; a database's or a card company's server leaves no span. */
function isWithoutCallee({ kind, attributes, children }: TraceNode): boolean {
  if (kind !== 'client' || !('rpc.method' in attributes) || UNANSWERED.has(attributes['error.type'])) return false;
  return !children.some((child) => child.kind === 'server');
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
