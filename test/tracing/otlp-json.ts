export const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
export const FAR_TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4799';
/** Microseconds since the epoch: recent, since Jaeger searches the recent past. */
export const START_US = (Date.now() - 1_000) * 1_000;

const nanos = (us: number): string => `${START_US + us}000`;
const attribute = (key: string, value: object): object => ({ key, value });

/** An OTLP export by hand, with everything that a span can carry: a request of another sender than ours. */
export function exportOfEverything(): object {
  return {
    resourceSpans: [
      {
        resource: {
          attributes: [
            attribute('service.name', { stringValue: 'order' }),
            attribute('service.version', { stringValue: '1.2.3' }),
            attribute('replicas', { intValue: 5 }),
          ],
        },
        scopeSpans: [{ scope: { name: 'by-hand', version: '9' }, spans: [rootSpan(), childSpan()] }],
      },
      {
        resource: { attributes: [] },
        scopeSpans: [
          {
            spans: [
              { ...ids('c0', 'b8'), name: 'nameless', startTimeUnixNano: nanos(200), endTimeUnixNano: nanos(300) },
            ],
          },
        ],
      },
    ],
  };
}

/** One span, of which a test says what matters to it. */
export interface SentSpan {
  readonly traceId: string;
  readonly service: string;
  /** 16 hexadecimal digits; by default made from its start. */
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  /** Microseconds after {@link START_US}. */
  readonly startUs?: number;
  /** Default 1. */
  readonly durationUs?: number;
  /** As OTLP has them: `server` is 2. */
  readonly kind?: number;
  /** As OTLP's AnyValues. */
  readonly attributes?: Readonly<Record<string, object>>;
  readonly resource?: Readonly<Record<string, object>>;
  readonly event?: Readonly<Record<string, object>>;
  /** Sentence of a span that failed. */
  readonly failure?: string;
  readonly link?: { readonly traceId: string; readonly spanId: string };
}

export function exportOfSpan(sent: SentSpan): object {
  const { traceId, service, parentSpanId, name = 'span', startUs = 0, durationUs = 1, kind = 1 } = sent;
  const { attributes = {}, resource = {}, event, failure, link } = sent;
  const list = (values: Readonly<Record<string, object>>): object[] =>
    Object.entries(values).map(([key, value]) => attribute(key, value));
  const span = {
    traceId,
    spanId: sent.spanId ?? (startUs + 1).toString(16).padStart(16, '0'),
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind,
    startTimeUnixNano: nanos(startUs),
    endTimeUnixNano: nanos(startUs + durationUs),
    attributes: list(attributes),
    links: link ? [link] : [],
    ...(failure !== undefined && { status: { code: 2, message: failure } }),
    events: event ? [{ name: 'event', timeUnixNano: nanos(startUs), attributes: list(event) }] : [],
  };
  const process = { attributes: list({ 'service.name': { stringValue: service }, ...resource }) };
  return { resourceSpans: [{ resource: process, scopeSpans: [{ spans: [span] }] }] };
}

/** An export of `count` spans of one trace. */
export function exportOf(count: number, traceId = TRACE_ID, service = 'order'): object {
  const spans = Array.from({ length: count }, (_, index) => ({
    traceId,
    spanId: (index + 1).toString(16).padStart(16, '0'),
    name: `span ${index}`,
    startTimeUnixNano: nanos(index),
    endTimeUnixNano: nanos(index + 1),
  }));
  const resource = { attributes: [attribute('service.name', { stringValue: service })] };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] };
}

function ids(own: string, parent?: string): object {
  return {
    traceId: TRACE_ID,
    spanId: `00f067aa0ba902${own}`,
    ...(parent !== undefined && { parentSpanId: `00f067aa0ba902${parent}` }),
  };
}

function rootSpan(): object {
  return {
    ...ids('b7'),
    name: 'place',
    kind: 2,
    traceState: 'a=b',
    flags: 257,
    startTimeUnixNano: nanos(0),
    endTimeUnixNano: nanos(5_123),
    attributes: [
      attribute('text', { stringValue: 'x' }),
      attribute('yes', { boolValue: true }),
      attribute('whole', { intValue: '42' }),
      attribute('part', { doubleValue: 1.5 }),
      attribute('list', { arrayValue: { values: [{ stringValue: 'p' }, { intValue: 2 }] } }),
      attribute('map', { kvlistValue: { values: [attribute('no', { boolValue: false })] } }),
      attribute('bytes', { bytesValue: 'AQID' }),
      attribute('empty', {}),
    ],
    events: [
      {
        name: 'exception',
        timeUnixNano: nanos(1_000),
        attributes: [attribute('exception.message', { stringValue: 'boom' })],
      },
    ],
    status: { code: 2, message: 'it broke' },
  };
}

function childSpan(): object {
  return {
    ...ids('b8', 'b7'),
    name: 'child',
    kind: 3,
    startTimeUnixNano: nanos(100),
    endTimeUnixNano: nanos(3_000),
    links: [
      { traceId: FAR_TRACE_ID, spanId: '00f067aa0ba90299', attributes: [attribute('why', { stringValue: 'resumed' })] },
    ],
    status: { code: 1 },
  };
}
