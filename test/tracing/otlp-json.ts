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
