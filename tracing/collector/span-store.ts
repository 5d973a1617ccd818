import type { OtlpSpan } from './otlp-json.ts';

export interface SpanStoreOptions {
  readonly maxSpans: number;
  readonly maxSpansPerTrace: number;
  readonly maxBytes: number;
}

export interface StoredTrace {
  readonly traceId: string;
  /** By span id: a batch that was sent twice is kept once. */
  readonly spans: ReadonlyMap<string, OtlpSpan>;
  /** Spans that came when the trace was full. */
  readonly droppedCount: number;
}

export interface SpanStore {
  /** Files spans that came as a body of `bytes`; evicts the oldest traces for what is too much. */
  add(spans: readonly OtlpSpan[], bytes: number): void;
  get(traceId: string): StoredTrace | undefined;
  /** Latest first, by when their first span came. */
  traces(): StoredTrace[];
}

interface Shelf extends StoredTrace {
  readonly spans: Map<string, OtlpSpan>;
  droppedCount: number;
  bytes: number;
}

/** Spans in memory, bounded in number and weight. */
export function createSpanStore({ maxSpans, maxSpansPerTrace, maxBytes }: SpanStoreOptions): SpanStore {
  // A Map keeps the order of arrival, so its first entry is the oldest trace.
  const shelves = new Map<string, Shelf>();
  let spanCount = 0;
  let byteCount = 0;

  function shelfOf(traceId: string): Shelf {
    let shelf = shelves.get(traceId);
    if (shelf === undefined) {
      shelf = { traceId, spans: new Map(), droppedCount: 0, bytes: 0 };
      shelves.set(traceId, shelf);
    }
    return shelf;
  }

  function file(span: OtlpSpan, bytes: number): void {
    const shelf = shelfOf(span.traceId);
    if (shelf.spans.has(span.spanId)) return;
    if (shelf.spans.size >= maxSpansPerTrace) {
      shelf.droppedCount += 1;
      return;
    }
    shelf.spans.set(span.spanId, span);
    shelf.bytes += bytes;
    spanCount += 1;
    byteCount += bytes;
  }

  function evict(): void {
    for (const [traceId, shelf] of shelves) {
      if (spanCount <= maxSpans && byteCount <= maxBytes) return;
      shelves.delete(traceId);
      spanCount -= shelf.spans.size;
      byteCount -= shelf.bytes;
    }
  }

  return {
    add(spans, bytes) {
      for (const span of spans) file(span, bytes / spans.length);
      evict();
    },
    get: (traceId) => shelves.get(traceId),
    traces: () => [...shelves.values()].reverse(),
  };
}
