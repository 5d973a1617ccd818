import type { JaegerTrace } from '../../tracing/jaeger-api.ts';
import { FAR_TRACE_ID, START_US, TRACE_ID } from './otlp-json.ts';

/** The order of spans, and so the numbers of processes, is nobody's promise: sorted by id, each with its process. */
export function inOrder({ spans, processes, ...others }: JaegerTrace): object {
  const bySpanId = spans.toSorted((a, b) => a.spanID.localeCompare(b.spanID));
  return { ...others, spans: bySpanId.map(({ processID, ...rest }) => ({ ...rest, process: processes[processID] })) };
}

/** The trace of `exportOfEverything` as Jaeger answers it, sorted by {@link inOrder}. */
export function everything(): object {
  const reference = (refType: string, traceID: string, own: string): object => ({
    refType,
    traceID,
    spanID: `00f067aa0ba902${own}`,
  });
  const text = (key: string, value: string): object => ({ key, type: 'string', value });
  const scope = [text('otel.scope.name', 'by-hand'), text('otel.scope.version', '9')];
  const order = {
    serviceName: 'order',
    tags: [{ key: 'replicas', type: 'int64', value: 5 }, text('service.version', '1.2.3')],
  };
  const common = { traceID: TRACE_ID, warnings: null };
  const root = {
    ...common,
    spanID: '00f067aa0ba902b7',
    operationName: 'place',
    references: [],
    startTime: START_US,
    duration: 5_123,
    tags: [
      { key: 'bytes', type: 'binary', value: 'AQID' },
      text('empty', ''),
      { key: 'error', type: 'bool', value: true },
      text('list', '["p",2]'),
      text('map', '{"no":false}'),
      ...scope,
      text('otel.status_code', 'ERROR'),
      text('otel.status_description', 'it broke'),
      { key: 'part', type: 'float64', value: 1.5 },
      text('span.kind', 'server'),
      text('text', 'x'),
      text('w3c.tracestate', 'a=b'),
      { key: 'whole', type: 'int64', value: 42 },
      { key: 'yes', type: 'bool', value: true },
    ],
    logs: [{ timestamp: START_US + 1_000, fields: [text('event', 'exception'), text('exception.message', 'boom')] }],
    process: order,
  };
  const child = {
    ...common,
    spanID: '00f067aa0ba902b8',
    operationName: 'child',
    references: [reference('CHILD_OF', TRACE_ID, 'b7'), reference('FOLLOWS_FROM', FAR_TRACE_ID, '99')],
    startTime: START_US + 100,
    duration: 2_900,
    tags: [...scope, text('otel.status_code', 'OK'), text('span.kind', 'client')],
    logs: [],
    process: order,
  };
  const nameless = {
    ...common,
    spanID: '00f067aa0ba902c0',
    operationName: 'nameless',
    references: [reference('CHILD_OF', TRACE_ID, 'b8')],
    startTime: START_US + 200,
    duration: 100,
    tags: [],
    logs: [],
    process: { serviceName: 'missing-service-name', tags: [] },
  };
  return { traceID: TRACE_ID, spans: [root, child, nameless], warnings: null };
}
