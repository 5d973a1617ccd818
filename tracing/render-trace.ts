import { printable } from '#kit';

import { criticalPath, ownTimes, type Stretch } from './critical-path.ts';
import { reasonOf } from './failures.ts';
import { endOf, type TraceNode, type TraceTree, walk } from './trace-tree.ts';
import { ARROWS, cutHead, cutTail, plural, shortName, timeOf } from './trace-text.ts';

export interface RenderOptions {
  /** Columns of the widest line, at least 60. Default 100. */
  readonly width?: number;
}

interface Row {
  /** Box lines that lead to this span, and to what is written below it. */
  readonly lead: string;
  readonly below: string;
  readonly node: TraceNode;
}

interface Layout {
  readonly service: number;
  readonly label: number;
  readonly bar: number;
  readonly startUs: number;
  readonly durationUs: number;
  /** What of the critical path is each span's own, in microseconds. */
  readonly own: ReadonlyMap<TraceNode | undefined, number>;
  /** For each cell of the bars whose own most of the critical path is there. */
  readonly owners: readonly (TraceNode | undefined)[];
}

const TIME = 8;
const GAP = '  ';

/**
 * A trace as text: who called whom, when it began (from the start of the trace), how long it took, how much of the
 * critical path it was itself, and a bar of when that was, heavy where the path goes through it. `✗` is a failed
 * span, `?` one whose parent has not arrived. No line is wider than `width`.
 */
export function renderTrace(tree: TraceTree, { width = 100 }: RenderOptions = {}): string {
  const nodes = [...walk(tree.roots)];
  const layout = layOut(tree, nodes, Math.max(60, width));
  const lines = [titleOf(tree, nodes, layout), ''];
  if (nodes.length > 0) lines.push(headOf(layout));
  for (const row of rowsOf(tree.roots)) lines.push(lineOf(row, layout), ...remarksOf(row, tree, layout));
  for (const warning of tree.warnings) lines.push(`! ${printable(warning)}`);
  return lines.map((line) => cutTail(line, Math.max(60, width)).trimEnd()).join('\n');
}

function layOut(tree: TraceTree, nodes: readonly TraceNode[], width: number): Layout {
  const startUs = nodes.reduce((least, node) => Math.min(least, node.startUs), Infinity);
  const endUs = nodes.reduce((most, node) => Math.max(most, endOf(node)), -Infinity);
  const durationUs = Math.max(0, endUs - startUs);
  const widest = nodes.reduce((most, node) => Math.max(most, printable(node.service).length), 'service'.length);
  const service = Math.min(16, widest);
  const bar = width >= 90 ? 20 : 0;
  const label = width - service - 3 * TIME - bar - GAP.length * (bar === 0 ? 4 : 5);
  const path = criticalPath(tree);
  return { service, label, bar, startUs, durationUs, own: ownTimes(path), owners: ownersOf(path, bar) };
}

/** One span for each of `count` equal parts of the path's time: each is heavy in one row of the picture. */
function ownersOf(path: readonly Stretch[], count: number): (TraceNode | undefined)[] {
  const fromUs = path[0]?.fromUs ?? 0;
  const cellUs = ((path.at(-1)?.toUs ?? 0) - fromUs) / count;
  return Array.from({ length: count }, (_, cell) => {
    const [startUs, endUs] = [fromUs + cell * cellUs, fromUs + (cell + 1) * cellUs];
    const within = path
      .filter((stretch) => stretch.fromUs < endUs && stretch.toUs > startUs)
      .map(({ node, fromUs: from, toUs: to }) => ({ node, fromUs: Math.max(startUs, from), toUs: Math.min(endUs, to) }));
    return [...ownTimes(within)].reduce(longer, [undefined, 0])[0];
  });
}

type OwnTime = readonly [TraceNode | undefined, number];

function longer(one: OwnTime, other: OwnTime): OwnTime {
  return other[1] > one[1] ? other : one;
}

function titleOf(tree: TraceTree, nodes: readonly TraceNode[], { durationUs }: Layout): string {
  const services = new Set(nodes.map(({ service }) => service)).size;
  const errors = nodes.filter(({ status }) => status === 'error').length;
  const parts = [plural(nodes.length, 'span'), plural(services, 'service'), timeOf(durationUs)];
  if (errors > 0) parts.push(plural(errors, 'error'));
  return `trace ${printable(tree.traceId)}: ${parts.join(', ')}`;
}

function headOf({ service, label }: Layout): string {
  const times = ['start', 'took', 'critical'].map((head) => head.padStart(TIME));
  return ['service'.padEnd(service), 'span'.padEnd(label), ...times].join(GAP);
}

function rowsOf(roots: readonly TraceNode[]): Row[] {
  const rows: Row[] = [];
  const waiting: Row[] = roots.map((node) => ({ lead: '', below: '', node })).reverse();
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    rows.push(row);
    const { below, node } = row;
    const last = node.children.length - 1;
    const children = node.children.map((child, index) => ({
      lead: below + (index === last ? '└─ ' : '├─ '),
      below: below + (index === last ? '   ' : '│  '),
      node: child,
    }));
    for (const child of children.reverse()) waiting.push(child);
  }
  return rows;
}

function lineOf({ lead, node }: Row, layout: Layout): string {
  const indent = cutHead(lead, Math.floor(layout.label / 2));
  const mark = (node.missingParent === '' ? '' : '? ') + (node.status === 'error' ? '✗ ' : '') + ARROWS[node.kind];
  const label = indent + mark + cutHead(shortName(node.name), layout.label - indent.length - mark.length);
  const ownUs = layout.own.get(node) ?? 0;
  const columns = [
    cutTail(printable(node.service), layout.service).padEnd(layout.service),
    label.padEnd(layout.label),
    timeOf(node.startUs - layout.startUs).padStart(TIME),
    timeOf(node.durationUs).padStart(TIME),
    (ownUs === 0 ? '' : timeOf(ownUs)).padStart(TIME),
    barOf(node, layout),
  ];
  return columns.join(GAP);
}

/** What does not fit into a column goes below: why it failed, what it continues, whom it misses. */
function remarksOf({ below, node }: Row, tree: TraceTree, layout: Layout): string[] {
  const remarks: string[] = [];
  const failure = [reasonOf(node), node.statusMessage].filter((part) => part !== '').join(': ');
  if (failure !== '') remarks.push(printable(failure));
  if (node.missingParent !== '') remarks.push(`its parent ${printable(node.missingParent)} is not in the trace`);
  for (const { traceId, spanId } of node.links) {
    const elsewhere = traceId === tree.traceId ? '' : ` of trace ${printable(traceId)}`;
    remarks.push(`continues span ${printable(spanId)}${elsewhere}`);
  }
  const pipe = node.children.length > 0 ? '│ ' : '  ';
  const indent = ' '.repeat(layout.service) + GAP + cutHead(below, Math.floor(layout.label / 2)) + pipe;
  return remarks.map((remark) => indent + remark);
}

function barOf(node: TraceNode, { bar, startUs, durationUs, owners }: Layout): string {
  const scale = durationUs === 0 ? 0 : bar / durationUs;
  const from = Math.min(bar - 1, Math.floor((node.startUs - startUs) * scale));
  const to = Math.max(from + 1, Math.min(bar, Math.round((endOf(node) - startUs) * scale)));
  const cells = owners.map((owner, cell) => (owner === node ? '━' : cell >= from && cell < to ? '─' : ' '));
  return cells.join('').trimEnd();
}
