import type { JaegerSpan, JaegerTag, JaegerTrace } from './jaeger-api.ts';

export type SpanKindName = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type SpanStatusName = 'unset' | 'ok' | 'error';
export type AttributeValue = string | number | boolean;

export interface LinkedSpan {
  readonly traceId: string;
  readonly spanId: string;
}

/** One span and what it caused. */
export interface TraceNode {
  readonly spanId: string;
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKindName;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly status: SpanStatusName;
  /** The sentence of a failed span, else empty. */
  readonly statusMessage: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The service's: `service.version`, `service.instance.id`. */
  readonly resource: Readonly<Record<string, AttributeValue>>;
  /** In the order in which they started. */
  readonly children: readonly TraceNode[];
  readonly links: readonly LinkedSpan[];
  /** The parent of an orphan: a span that is not in the trace, or not yet. Empty for every other span. */
  readonly missingParent: string;
}

export interface TraceTree {
  readonly traceId: string;
  /** Spans without a parent here: the trace's root and every orphan, in the order in which they started. */
  readonly roots: readonly TraceNode[];
  readonly spanCount: number;
  /** What the backend has to say about the trace, such as spans it dropped. */
  readonly warnings: readonly string[];
}

type Draft = TraceNode & { readonly children: TraceNode[]; missingParent: string };

/** Every span below and including `nodes`, parents first. */
export function* walk(nodes: readonly TraceNode[]): Generator<TraceNode> {
  // Not recursive: how deep a trace is, its senders decide.
  const waiting = nodes.toReversed();
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node;
    for (const child of node.children.toReversed()) waiting.push(child);
  }
}

/** Microseconds since the epoch. */
export function endOf({ startUs, durationUs }: TraceNode): number {
  return startUs + durationUs;
}

/** Whether the trace hangs together: one root, and every other span has its parent. */
export function isWhole({ roots }: TraceTree): boolean {
  return roots.length === 1 && roots.every(({ missingParent }) => missingParent === '');
}

/** The spans of a trace by who caused whom. No span is lost, whatever the references say. */
export function buildTree(trace: JaegerTrace): TraceTree {
  const drafts = new Map<string, Draft>();
  const parents = new Map<string, string>();
  for (const span of trace.spans) {
    drafts.set(span.spanID, draftOf(span, trace));
    const parent = span.references.find(({ refType, traceID }) => refType === 'CHILD_OF' && traceID === trace.traceID);
    if (parent !== undefined) parents.set(span.spanID, parent.spanID);
  }

  const roots: Draft[] = [];
  const grounded = new Set<string>();
  for (const draft of [...drafts.values()].sort(byStart)) {
    const parentId = parents.get(draft.spanId);
    const parent = parentId === undefined ? undefined : drafts.get(parentId);
    if (parent !== undefined && !isOwnAncestor(draft.spanId, parents, grounded)) {
      parent.children.push(draft);
      continue;
    }
    draft.missingParent = parentId ?? '';
    // Cut here, a circle of references is a chain like any other.
    parents.delete(draft.spanId);
    roots.push(draft);
  }
  return { traceId: trace.traceID, roots, spanCount: drafts.size, warnings: trace.warnings ?? [] };
}

/** `grounded` keeps the spans whose way up is known to end, so that a long chain is walked once. */
function isOwnAncestor(spanId: string, parents: ReadonlyMap<string, string>, grounded: Set<string>): boolean {
  const way = new Set<string>();
  let id: string | undefined = spanId;
  while (id !== undefined && !grounded.has(id)) {
    way.add(id);
    id = parents.get(id);
    if (id !== undefined && way.has(id)) return id === spanId;
  }
  for (const passed of way) grounded.add(passed);
  return false;
}

function byStart(a: TraceNode, b: TraceNode): number {
  // A parent that started in the same microsecond comes first: it lasts longer.
  return a.startUs - b.startUs || b.durationUs - a.durationUs;
}

function draftOf(span: JaegerSpan, trace: JaegerTrace): Draft {
  const attributes = valuesOf(span.tags);
  const process = trace.processes[span.processID];
  return {
    spanId: span.spanID,
    service: process?.serviceName ?? 'unknown',
    name: span.operationName,
    kind: kindOf(attributes['span.kind']),
    startUs: span.startTime,
    durationUs: span.duration,
    status: statusOf(attributes),
    statusMessage: String(attributes['otel.status_description'] ?? ''),
    attributes,
    resource: valuesOf(process?.tags ?? []),
    children: [],
    links: span.references
      .filter(({ refType }) => refType === 'FOLLOWS_FROM')
      .map(({ traceID, spanID }) => ({ traceId: traceID, spanId: spanID })),
    missingParent: '',
  };
}

function valuesOf(tags: readonly JaegerTag[]): Record<string, AttributeValue> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

/** Jaeger's exporter leaves the kind out where it is `internal`. */
function kindOf(value: AttributeValue | undefined): SpanKindName {
  return value === 'server' || value === 'client' || value === 'producer' || value === 'consumer' ? value : 'internal';
}

function statusOf(attributes: Readonly<Record<string, AttributeValue>>): SpanStatusName {
  if (attributes['error'] === true || attributes['otel.status_code'] === 'ERROR') return 'error';
  return attributes['otel.status_code'] === 'OK' ? 'ok' : 'unset';
}
