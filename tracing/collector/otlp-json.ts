import { refusal } from '#kit';

/**
 * The JSON form of an OTLP trace export. Only what the collector needs to file a span is checked on arrival; the rest
 * stays `unknown` until somebody reads the trace. Source: opentelemetry-proto `trace/v1/trace.proto`, and the OTLP
 * specification's "JSON Protobuf Encoding" (ids in hexadecimal, 64-bit numbers as strings, kinds as numbers).
 */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** The rest of the span. */
  readonly raw: OtlpRecord;
  readonly resource: OtlpRecord;
  readonly scope: OtlpRecord;
}

export type OtlpRecord = Readonly<Record<string, unknown>>;

const TRACE_ID = /^[0-9a-f]{32}$/i;
const SPAN_ID = /^[0-9a-f]{16}$/i;
const EMPTY: OtlpRecord = {};

/** The spans of an export request. Throws INVALID_ARGUMENT, which says where: a request is taken whole or not at all. */
export function readExport(body: unknown): OtlpSpan[] {
  const request = recordAt(body, 'the body');
  return listAt(request['resourceSpans'], 'resourceSpans').flatMap((entry, index) =>
    readResource(entry, `resourceSpans[${index}]`),
  );
}

function readResource(entry: unknown, at: string): OtlpSpan[] {
  const resourceSpans = recordAt(entry, at);
  const resource = recordAt(resourceSpans['resource'] ?? EMPTY, `${at}.resource`);
  return listAt(resourceSpans['scopeSpans'], `${at}.scopeSpans`).flatMap((scopeEntry, index) => {
    const scopeAt = `${at}.scopeSpans[${index}]`;
    const scopeSpans = recordAt(scopeEntry, scopeAt);
    const scope = recordAt(scopeSpans['scope'] ?? EMPTY, `${scopeAt}.scope`);
    return listAt(scopeSpans['spans'], `${scopeAt}.spans`).map((span, spanIndex) => ({
      ...readSpan(recordAt(span, `${scopeAt}.spans[${spanIndex}]`), `${scopeAt}.spans[${spanIndex}]`),
      resource,
      scope,
    }));
  });
}

function readSpan(raw: OtlpRecord, at: string): Omit<OtlpSpan, 'resource' | 'scope'> {
  const { parentSpanId = '', name = '' } = raw;
  if (typeof name !== 'string') throw refusal('INVALID_ARGUMENT', `${at}.name is not a string`);
  return {
    traceId: idAt(raw['traceId'], TRACE_ID, `${at}.traceId`),
    spanId: idAt(raw['spanId'], SPAN_ID, `${at}.spanId`),
    parentSpanId: parentSpanId === '' ? '' : idAt(parentSpanId, SPAN_ID, `${at}.parentSpanId`),
    name,
    raw,
  };
}

function idAt(value: unknown, pattern: RegExp, at: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) {
    throw refusal('INVALID_ARGUMENT', `${at} is not ${pattern === TRACE_ID ? 32 : 16} hexadecimal digits`);
  }
  return value.toLowerCase();
}

function listAt(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw refusal('INVALID_ARGUMENT', `${at} is not a list`);
  return value;
}

function recordAt(value: unknown, at: string): OtlpRecord {
  if (isRecord(value)) return value;
  throw refusal('INVALID_ARGUMENT', `${at} is not an object`);
}

export function isRecord(value: unknown): value is OtlpRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
