import type { JaegerLog, JaegerProcess, JaegerReference, JaegerSpan, JaegerTag, JaegerTrace } from '../jaeger-api.ts';
import { attributesOf, stringOf, tagsOf } from './jaeger-tags.ts';
import { isRecord, type OtlpRecord, type OtlpSpan } from './otlp-json.ts';
import type { StoredTrace } from './span-store.ts';

/** By the numbers of `SpanKind` in trace.proto; Jaeger gives an unspecified kind no tag. */
const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
/** By the numbers of `Status.StatusCode`. */
const STATUSES = ['', 'OK', 'ERROR'] as const;

/** A trace as Jaeger's query API answers it. */
export function toJaegerTrace({ traceId, spans, droppedCount }: StoredTrace): JaegerTrace {
  const ids = new Map<string, string>();
  const processes: Record<string, JaegerProcess> = {};
  const jaegerSpans = Array.from(spans.values(), (span) => {
    const process = toProcess(span.resource);
    // By content: every batch brings its resource anew.
    const key = JSON.stringify(process);
    const processID = ids.get(key) ?? `p${ids.size + 1}`;
    ids.set(key, processID);
    processes[processID] = process;
    return toSpan(span, processID, spans);
  });
  const warnings =
    droppedCount === 0
      ? null
      : [`${droppedCount} more spans of this trace were dropped: the span collector keeps ${spans.size} of one trace`];
  return { traceID: traceId, spans: jaegerSpans, processes, warnings };
}

/** The service that a span belongs to. */
export function serviceOf(span: OtlpSpan): string {
  return toProcess(span.resource).serviceName;
}

/** `server`, `client` …, empty where the sender did not say. */
export function kindOf({ raw }: OtlpSpan): string {
  return KINDS[Number(raw['kind'] ?? 0)] ?? '';
}

/** Microseconds since the epoch. */
export function startOf({ raw }: OtlpSpan): number {
  return microseconds(raw['startTimeUnixNano']);
}

/** All that a span can be searched by: its own tags, those of its service, and what its events say. */
export function tagsOfSpan(span: OtlpSpan): JaegerTag[] {
  const events = recordsIn(span.raw['events']).flatMap((event) => toLog(event).fields);
  return [...ownTagsOf(span), ...toProcess(span.resource).tags, ...events];
}

function toProcess(resource: OtlpRecord): JaegerProcess {
  const tags = tagsOf(attributesOf(resource));
  const name = tags.find(({ key }) => key === 'service.name')?.value;
  return {
    serviceName: name === undefined || name === '' ? 'missing-service-name' : String(name),
    tags: tags.filter(({ key }) => key !== 'service.name'),
  };
}

function toSpan(span: OtlpSpan, processID: string, siblings: ReadonlyMap<string, OtlpSpan>): JaegerSpan {
  const { traceId, spanId, parentSpanId, name, raw } = span;
  const isOrphan = parentSpanId !== '' && !siblings.has(parentSpanId);
  const startTime = startOf(span);
  return {
    traceID: traceId,
    spanID: spanId,
    operationName: name,
    references: referencesOf(span),
    startTime,
    duration: Math.max(0, durationOf(raw)),
    tags: ownTagsOf(span),
    logs: recordsIn(raw['events']).map(toLog),
    processID,
    warnings: isOrphan ? [`parent span ${parentSpanId} is not in the trace`] : null,
  };
}

function ownTagsOf(span: OtlpSpan): JaegerTag[] {
  return tagsOf({ ...attributesOf(span.raw), ...derivedAttributes(span) });
}

/** What Jaeger says by tags and OTLP by fields. Source: OpenTelemetry specification, "Transformation to Jaeger". */
function derivedAttributes(span: OtlpSpan): Record<string, unknown> {
  const status = isRecord(span.raw['status']) ? span.raw['status'] : {};
  const code = STATUSES[Number(status['code'] ?? 0)] ?? '';
  const texts = {
    'otel.scope.name': span.scope['name'],
    'otel.scope.version': span.scope['version'],
    'otel.status_code': code,
    'otel.status_description': status['message'],
    'span.kind': kindOf(span),
    'w3c.tracestate': span.raw['traceState'],
  };
  const present = Object.entries(texts).filter(([, value]) => typeof value === 'string' && value !== '');
  const derived = Object.fromEntries(present.map(([key, stringValue]) => [key, { stringValue }]));
  return code === 'ERROR' ? { ...derived, error: { boolValue: true } } : derived;
}

function referencesOf({ traceId, parentSpanId, raw }: OtlpSpan): JaegerReference[] {
  const links = recordsIn(raw['links']).map((link): JaegerReference => ({
    refType: 'FOLLOWS_FROM',
    traceID: stringOf(link['traceId']).toLowerCase(),
    spanID: stringOf(link['spanId']).toLowerCase(),
  }));
  return parentSpanId === '' ? links : [{ refType: 'CHILD_OF', traceID: traceId, spanID: parentSpanId }, ...links];
}

function toLog(event: OtlpRecord): JaegerLog {
  const name = stringOf(event['name']);
  const fields = tagsOf(attributesOf(event));
  return {
    timestamp: microseconds(event['timeUnixNano']),
    fields: name === '' ? fields : [{ key: 'event', type: 'string', value: name }, ...fields],
  };
}

function recordsIn(value: unknown): OtlpRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function durationOf(raw: OtlpRecord): number {
  return Number((nanoseconds(raw['endTimeUnixNano']) - nanoseconds(raw['startTimeUnixNano'])) / 1000n);
}

function microseconds(value: unknown): number {
  return Number(nanoseconds(value) / 1000n);
}

/** A 64-bit number, which OTLP writes as a string and some senders as a number; 0 for anything else. */
function nanoseconds(value: unknown): bigint {
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return BigInt(value);
  return typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}
