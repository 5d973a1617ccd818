import { printable } from '#kit';

import { CLOCK_ERROR_US } from './critical-path.ts';
import { type Failure, failuresOf } from './failures.ts';
import { type PathShare, pathShares } from './path-shares.ts';
import type { RenderOptions } from './render-trace.ts';
import { endOf, type TraceTree, walk } from './trace-tree.ts';
import { ARROWS, cutTail, plural, shortName, timeOf } from './trace-text.ts';

/** Rows of a list; what comes after is counted. */
const MAX_ROWS = 12;

/** What a trace comes to, below its picture: on what its time went, and where its errors came from. Empty for none. */
export function renderSummary(tree: TraceTree, { width = 100 }: RenderOptions = {}): string {
  const lines = [...pathLines(tree), ...failureLines(failuresOf(tree))];
  return lines.map((line) => cutTail(line, Math.max(60, width))).join('\n');
}

function pathLines(tree: TraceTree): string[] {
  const shares = pathShares(tree);
  if (shares.length === 0) return [];
  const shown = shares.length > MAX_ROWS + 1 ? shares.slice(0, MAX_ROWS) : shares;
  const others = shares.slice(shown.length);
  const widest = Math.max(...shown.map(({ service }) => printable(service).length));
  const total = shares.reduce((us, share) => us + share.us, 0);
  const rest = others.reduce((us, share) => us + share.us, 0);
  return [
    `Critical path, ${timeOf(total)}${afterlife(tree)}:`,
    ...shown.map((share) => row(share.us, share.share, `${printable(share.service).padEnd(widest)}  ${nameOf(share)}`)),
    ...(others.length === 0 ? [] : [row(rest, rest / total, `${others.length} other operations`)]),
  ];
}

function row(us: number, share: number, what: string): string {
  return `  ${timeOf(us).padStart(8)}  ${`${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`.padStart(5)}  ${what}`;
}

function nameOf({ kind, operation, count }: PathShare): string {
  const name = kind === '' ? 'nothing was running' : ARROWS[kind] + shortName(operation);
  return count === 1 ? name : `${name}, ${count} times`;
}

/** Work that goes on when the answer is given: then the path is longer than what the caller has waited. */
function afterlife({ roots: [root, ...others], spanCount }: TraceTree): string {
  if (root === undefined || others.length > 0 || spanCount < 2) return '';
  const endUs = [...walk([root])].reduce((latest, node) => Math.max(latest, endOf(node)), 0);
  if (endUs <= endOf(root) + CLOCK_ERROR_US) return '';
  return `, of which ${timeOf(endUs - endOf(root))} after the end of ${shortName(root.name)}`;
}

function failureLines(failures: readonly Failure[]): string[] {
  const counts = new Map<string, number>();
  for (const failure of failures) counts.set(lineOf(failure), (counts.get(lineOf(failure)) ?? 0) + 1);
  const lines = Array.from(counts, ([line, count]) => (count === 1 ? line : `${line} (${count} times)`));
  if (lines.length === 0) return [];
  const more = lines.length > MAX_ROWS ? [`  and ${plural(lines.length - MAX_ROWS, 'more error')}`] : [];
  return ['', 'Errors:', ...lines.slice(0, MAX_ROWS), ...more];
}

function lineOf({ node, reason, sentence }: Failure): string {
  const why = [reason, sentence].filter((part) => part !== '').join(': ');
  return `  ${printable(node.service)}  ${shortName(node.name)}  ${printable(why)}`;
}
