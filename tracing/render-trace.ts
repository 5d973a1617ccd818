import { type TraceNode, type TraceTree, walk } from './trace-tree.ts';

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
}

const TIME = 9;
const GAP = '  ';
/** What a kind looks like in front of a span's name: going out, or taken from a queue. */
const ARROWS = { internal: '', server: '', client: '→ ', producer: '» ', consumer: '« ' } as const;

/**
 * A trace as text: who called whom, when it began (from the start of the trace), how long it took, and a bar of when
 * that was. `✗` is a failed span, `?` one whose parent has not arrived. No line is wider than `width`.
 */
export function renderTrace(tree: TraceTree, { width = 100 }: RenderOptions = {}): string {
  const nodes = [...walk(tree.roots)];
  const layout = layOut(nodes, Math.max(60, width));
  const lines = [titleOf(tree, nodes, layout), ''];
  for (const row of rowsOf(tree.roots)) lines.push(lineOf(row, layout), ...remarksOf(row, tree, layout));
  for (const warning of tree.warnings) lines.push(`! ${warning}`);
  return lines.map((line) => cutTail(line, Math.max(60, width)).trimEnd()).join('\n');
}

function layOut(nodes: readonly TraceNode[], width: number): Layout {
  const startUs = nodes.reduce((least, node) => Math.min(least, node.startUs), Infinity);
  const endUs = nodes.reduce((most, node) => Math.max(most, node.startUs + node.durationUs), -Infinity);
  const service = Math.min(
    16,
    nodes.reduce((most, node) => Math.max(most, clean(node.service).length), 0),
  );
  const bar = width >= 90 ? 20 : 0;
  const label = width - service - 2 * TIME - bar - GAP.length * (bar === 0 ? 3 : 4);
  return { service, label, bar, startUs, durationUs: Math.max(0, endUs - startUs) };
}

function titleOf(tree: TraceTree, nodes: readonly TraceNode[], { durationUs }: Layout): string {
  const services = new Set(nodes.map(({ service }) => service)).size;
  const errors = nodes.filter(({ status }) => status === 'error').length;
  const parts = [plural(nodes.length, 'span'), plural(services, 'service'), timeOf(durationUs)];
  if (errors > 0) parts.push(plural(errors, 'error'));
  return `trace ${clean(tree.traceId)}: ${parts.join(', ')}`;
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
  const label = indent + mark + nameIn(layout.label - indent.length - mark.length, node.name);
  const columns = [
    cutTail(clean(node.service), layout.service).padEnd(layout.service),
    label.padEnd(layout.label),
    timeOf(node.startUs - layout.startUs).padStart(TIME),
    timeOf(node.durationUs).padStart(TIME),
    ...(layout.bar === 0 ? [] : [barOf(node, layout)]),
  ];
  return columns.join(GAP);
}

/** What does not fit into a column goes below: why it failed, what it continues, whom it misses. */
function remarksOf({ below, node }: Row, tree: TraceTree, layout: Layout): string[] {
  const remarks: string[] = [];
  if (node.statusMessage !== '') remarks.push(clean(node.statusMessage));
  if (node.missingParent !== '') remarks.push(`its parent ${clean(node.missingParent)} is not in the trace`);
  for (const { traceId, spanId } of node.links) {
    remarks.push(`continues span ${clean(spanId)}${traceId === tree.traceId ? '' : ` of trace ${clean(traceId)}`}`);
  }
  const pipe = node.children.length > 0 ? '│ ' : '  ';
  const indent = ' '.repeat(layout.service) + GAP + cutHead(below, Math.floor(layout.label / 2)) + pipe;
  return remarks.map((remark) => indent + remark);
}

function barOf({ startUs, durationUs }: TraceNode, layout: Layout): string {
  const scale = layout.durationUs === 0 ? 0 : layout.bar / layout.durationUs;
  const from = Math.min(layout.bar - 1, Math.floor((startUs - layout.startUs) * scale));
  const length = Math.min(layout.bar - from, Math.max(1, Math.round(durationUs * scale)));
  return ' '.repeat(from) + '━'.repeat(length);
}

/** `shop.order.v1.OrderService/PlaceOrder` without its package, which the service's column says already. */
function nameIn(room: number, name: string): string {
  return cutHead(clean(name).replace(/^(?:\w+\.)+(?=\w+\/\w+$)/, ''), room);
}

/** `0 ms`, `0.42 ms`, `43.1 ms`, `1204.0 ms`, `12.3 s`. */
function timeOf(us: number): string {
  const ms = us / 1000;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms === 0) return '0 ms';
  return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function cutTail(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

function cutHead(text: string, room: number): string {
  return text.length <= room ? text : `…${text.slice(text.length - Math.max(0, room - 1))}`;
}

/** Spans come from anyone: what would move the cursor or colour the terminal is shown as a dot. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');
}
