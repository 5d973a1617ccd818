import type { JaegerReference, JaegerSpan, JaegerTag, JaegerTrace } from '../../tracing/jaeger-api.ts';

export interface SpanDraft {
  readonly id: string;
  readonly parent?: string;
  readonly service?: string;
  readonly name?: string;
  readonly startUs?: number;
  readonly durationUs?: number;
  readonly tags?: Readonly<Record<string, string | boolean>>;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** What `startUs` counts from. */
export const EPOCH_US = 1_700_000_000_000_000;

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

/** A trace as Jaeger answers it, from the little that a test wants to say. */
export function traceOf(...drafts: readonly SpanDraft[]): JaegerTrace {
  const services = [...new Set(drafts.map(({ service = 'order' }) => service))];
  const processes = Object.fromEntries(services.map((serviceName) => [serviceName, { serviceName, tags: [] }]));
  return { traceID: TRACE_ID, spans: drafts.map(spanOf), processes, warnings: null };
}

function spanOf({
  id,
  parent,
  service = 'order',
  name = id,
  startUs = 0,
  durationUs = 10,
  tags = {},
  links = [],
}: SpanDraft): JaegerSpan {
  const references: JaegerReference[] = links.map(({ traceId, spanId }) => ({
    refType: 'FOLLOWS_FROM',
    traceID: traceId,
    spanID: spanId,
  }));
  if (parent !== undefined) references.unshift({ refType: 'CHILD_OF', traceID: TRACE_ID, spanID: parent });
  return {
    traceID: TRACE_ID,
    spanID: id,
    operationName: name,
    references,
    startTime: EPOCH_US + startUs,
    duration: durationUs,
    tags: Object.entries(tags).map(([key, value]): JaegerTag => ({
      key,
      type: typeof value === 'string' ? 'string' : 'bool',
      value,
    })),
    logs: [],
    processID: service,
    warnings: null,
  };
}
