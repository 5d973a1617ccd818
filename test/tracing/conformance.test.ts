import { gzipSync } from 'node:zlib';

import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, silentLog, systemClock } from '#kit';
import { extractContext, fetchTrace, injectContext, isWhole, linksTo, startTracing, type TraceTree, waitForTrace, walk, withSpan } from '#tracing';

import type { JaegerAnswer, JaegerTrace } from '../../tracing/jaeger-api.ts';
import { ask, postSpans } from './http.ts';
import { exportOf, exportOfEverything, FAR_TRACE_ID, START_US, TRACE_ID } from './otlp-json.ts';
import { expectShape, failedSpan, span } from './span-shape.ts';
import { type TraceBackend, traceBackends } from './trace-backends.ts';

for (const { name, start } of traceBackends) {
  describe(`${name}, as a trace backend`, () => {
    let backend: TraceBackend;

    before(async function () {
      this.timeout(60_000);
      const found = await start();
      if (found === undefined) return this.skip();
      backend = found;
    });

    after(() => backend?.stop());

    const until = (traceId: string, isComplete: (tree: TraceTree) => boolean): Promise<TraceTree> =>
      waitForTrace(backend.queryUrl, traceId, isComplete, { deadlineMs: 8_000, clock: systemClock });

    it('gives back the spans of two services in one process, every parent present', async () => {
      const tracing = await startTracing({ exporter: 'otlp', otlpEndpoint: backend.otlpUrl, sampleRatio: 1, log: silentLog });
      try {
        await tracing.ready;
        const order = tracing.tracer({ service: 'order', version: '1.0.0', instanceId: 'order-1' });
        const payment = tracing.tracer({ service: 'payment', version: '2.0.0', instanceId: 'payment-7' });
        let traceId = '';
        const earlier: Record<string, string> = {};
        await withSpan(order, 'earlier', {}, () => injectContext(earlier));

        const carrier: Record<string, string> = {};
        await withSpan(order, 'PlaceOrder', { kind: SpanKind.SERVER, links: linksTo(earlier) }, async (placed) => {
          traceId = placed.spanContext().traceId;
          await withSpan(order, 'GetUser', { kind: SpanKind.CLIENT, attributes: { 'server.port': 50051, cached: false } }, async () => undefined);
          await withSpan(order, 'Charge', { kind: SpanKind.CLIENT }, () => injectContext(carrier));
        });
        await withSpan(payment, 'Charge', { kind: SpanKind.SERVER, parent: extractContext(carrier) }, async () => {
          throw refusal('CARD_DECLINED', 'the card was declined; use another one');
        }).catch(() => undefined);
        await tracing.flush();

        const tree = await until(traceId, ({ spanCount }) => spanCount === 4);
        expect(isWhole(tree)).to.equal(true);
        expectShape(
          tree,
          span('server', 'order', 'PlaceOrder', span('client', 'order', 'GetUser'), span('client', 'order', 'Charge', failedSpan('server', 'payment', 'Charge'))),
        );
        const found = Object.fromEntries(Array.from(walk(tree.roots), (node) => [`${node.service} ${node.name}`, node]));
        expect(found['order GetUser']?.attributes).to.include({ 'server.port': 50051, cached: false });
        expect(found['payment Charge']).to.include({ status: 'error', statusMessage: 'the card was declined; use another one' });
        expect(found['payment Charge']?.attributes).to.include({ 'error.type': 'FAILED_PRECONDITION', 'mesh.error.reason': 'CARD_DECLINED' });
        expect(found['payment Charge']?.resource).to.include({ 'service.version': '2.0.0', 'service.instance.id': 'payment-7' });
        expect(found['order PlaceOrder']?.resource).to.include({ 'service.version': '1.0.0', 'service.instance.id': 'order-1' });
        const linked = trace.getSpanContext(contextOf(earlier));
        expect(found['order PlaceOrder']?.links).to.deep.equal([{ traceId: linked?.traceId, spanId: linked?.spanId }]);
      } finally {
        await tracing.stop();
      }
    });

    it('answers everything that a span can carry in the shape of Jaeger', async () => {
      expect(await postSpans(backend.otlpUrl, exportOfEverything())).to.include({ status: 200, text: '{"partialSuccess":{}}' });
      await until(TRACE_ID, ({ spanCount }) => spanCount === 3);
      const { text } = await ask(`${backend.queryUrl}/api/traces/${TRACE_ID.toUpperCase()}`);
      // The answer's shape is what this test is about; a wrong one fails below.
      const { data, ...rest } = JSON.parse(text) as JaegerAnswer<JaegerTrace[]>;
      expect(rest).to.deep.equal({ total: 0, limit: 0, offset: 0, errors: null });
      expect(data?.map(inOrder)).to.deep.equal([everything()]);
    });

    it('takes a batch twice and shows it once', async () => {
      const traceId = 'a'.repeat(32);
      await postSpans(backend.otlpUrl, exportOf(2, traceId));
      await postSpans(backend.otlpUrl, exportOf(2, traceId));
      const tree = await until(traceId, ({ spanCount }) => spanCount >= 2);
      expect(Array.from(walk(tree.roots), (node) => node.name)).to.deep.equal(['span 0', 'span 1']);
    });

    it('takes a compressed body', async () => {
      const traceId = 'b'.repeat(32);
      const answer = await postSpans(backend.otlpUrl, gzipSync(JSON.stringify(exportOf(1, traceId))), { 'content-encoding': 'gzip' });
      expect(answer.status).to.equal(200);
      await until(traceId, ({ spanCount }) => spanCount === 1);
    });

    it('finds traces by service, operation and time', async () => {
      const ids = ['c'.repeat(32), 'd'.repeat(32)];
      for (const [index, id] of ids.entries()) {
        await postSpans(backend.otlpUrl, exportOf(index + 1, id, 'searched'));
        await until(id, ({ spanCount }) => spanCount === index + 1);
      }
      const search = async (query: string): Promise<string[]> => dataOf<JaegerTrace[]>(await ask(`${backend.queryUrl}/api/traces?${query}`)).map(({ traceID }) => traceID);
      expect(await search('service=searched&lookback=1h')).to.have.members(ids);
      expect(await search('service=searched&operation=span%201')).to.deep.equal([ids[1]]);
      expect(await search('service=searched&limit=1')).to.have.length(1);
      expect(await search('service=searched&start=1&end=2')).to.deep.equal([]);
      expect(await search(`service=searched&start=${START_US - 1_000_000}&end=${START_US + 1_000_000}`)).to.have.members(ids);
      expect(await search('service=nobody')).to.deep.equal([]);
      expect(dataOf(await ask(`${backend.queryUrl}/api/services`))).to.include('searched');
      expect(dataOf(await ask(`${backend.queryUrl}/api/services/searched/operations`))).to.have.members(['span 0', 'span 1']);
    });

    it('refuses bad requests', async () => {
      const status = async (path: string): Promise<number> => (await ask(backend.queryUrl + path)).status;
      expect(await fetchTrace(backend.queryUrl, 'e'.repeat(32))).to.equal(undefined);
      expect(await status('/api/traces/not-hex')).to.equal(400);
      expect(await status('/api/traces')).to.equal(400);
      expect(await status('/api/operations')).to.equal(400);
      expect(await status('/api/traces?service=order&limit=many')).to.equal(400);
      expect(await status('/api/traces?service=order&start=early')).to.equal(400);
      expect((await ask(`${backend.otlpUrl}/v1/traces`)).status).to.equal(405);
      expect((await postSpans(backend.otlpUrl, 'x', { 'content-type': 'text/plain' })).status).to.equal(415);
      for (const body of ['{bad', '{"resourceSpans":"x"}', JSON.stringify(exportOf(1, 'zz'))]) {
        expect((await postSpans(backend.otlpUrl, body)).status, body).to.equal(400);
      }
    });
  });
}

function contextOf(carrier: Readonly<Record<string, string>>): Context {
  const [, traceId = '', spanId = ''] = (carrier['traceparent'] ?? '').split('-');
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });
}

/** What both of them answer; callers say what they expect it to be. */
function dataOf<T>({ text }: { readonly text: string }): T {
  return (JSON.parse(text) as { data: T }).data;
}

/** The order of spans, and so the numbers of processes, is nobody's promise: sorted by id, each with its process. */
function inOrder({ spans, processes, ...trace }: JaegerTrace): object {
  const bySpanId = spans.toSorted((a, b) => a.spanID.localeCompare(b.spanID));
  return { ...trace, spans: bySpanId.map(({ processID, ...rest }) => ({ ...rest, process: processes[processID] })) };
}

function everything(): object {
  const reference = (refType: string, traceID: string, own: string): object => ({ refType, traceID, spanID: `00f067aa0ba902${own}` });
  const text = (key: string, value: string): object => ({ key, type: 'string', value });
  const scope = [text('otel.scope.name', 'by-hand'), text('otel.scope.version', '9')];
  const order = { serviceName: 'order', tags: [{ key: 'replicas', type: 'int64', value: 5 }, text('service.version', '1.2.3')] };
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
