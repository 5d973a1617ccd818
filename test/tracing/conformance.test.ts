import { gzipSync } from 'node:zlib';

import { expect } from 'chai';

import { systemClock } from '#kit';
import { fetchTrace, searchTraces, startTracing, type TraceTree, waitForTrace, walk } from '#tracing';

import type { JaegerAnswer, JaegerTrace } from '../../tracing/jaeger-api.ts';
import { captureLog } from './captured-log.ts';
import { everything, inOrder } from './everything.ts';
import { ask, postSpans } from './http.ts';
import { exportOf, exportOfEverything, exportOfSpan, type SentSpan, START_US, TRACE_ID } from './otlp-json.ts';
import { type TraceBackend, traceBackends } from './trace-backends.ts';
import { expectOrder, traceOrder } from './traced-order.ts';

/** Everything that is sent here. */
const RECENT = { lookbackMs: 600_000, nowMs: Date.now() };

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

    const post = async (...spans: readonly SentSpan[]): Promise<void> => {
      for (const span of spans) expect((await postSpans(backend.otlpUrl, exportOfSpan(span))).status).to.equal(200);
    };

    it('gives back the spans of two services in one process, every parent present', async () => {
      const { log, lines } = captureLog();
      const tracing = await startTracing({ exporter: 'otlp', otlpEndpoint: backend.otlpUrl, sampleRatio: 1, log });
      const traceId = await traceOrder(tracing);
      await tracing.stop();
      await expectOrder(backend.queryUrl, traceId);
      expect(lines).to.deep.equal([]);
    });

    it('answers everything that a span can carry in the shape of Jaeger', async () => {
      expect(await postSpans(backend.otlpUrl, exportOfEverything())).to.include({
        status: 200,
        text: '{"partialSuccess":{}}',
      });
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
      const answer = await postSpans(backend.otlpUrl, gzipSync(JSON.stringify(exportOf(1, traceId))), {
        'content-encoding': 'gzip',
      });
      expect(answer.status).to.equal(200);
      await until(traceId, ({ spanCount }) => spanCount === 1);
    });

    it('finds traces by service, operation and time', async () => {
      const ids = ['c'.repeat(32), 'd'.repeat(32)];
      for (const [index, id] of ids.entries()) {
        await postSpans(backend.otlpUrl, exportOf(index + 1, id, 'searched'));
        await until(id, ({ spanCount }) => spanCount === index + 1);
      }
      const search = async (query: string): Promise<string[]> =>
        dataOf<JaegerTrace[]>(await ask(`${backend.queryUrl}/api/traces?${query}`)).map(({ traceID }) => traceID);
      expect(await search('service=searched&lookback=1h')).to.have.members(ids);
      expect(await search('service=searched&operation=span%201')).to.deep.equal([ids[1]]);
      expect(await search('service=searched&limit=1')).to.have.length(1);
      expect(await search('service=searched&start=1&end=2')).to.deep.equal([]);
      expect(
        await search(`service=searched&start=${START_US - 1_000_000}&end=${START_US + 1_000_000}`),
      ).to.have.members(ids);
      expect(await search('service=nobody')).to.deep.equal([]);
      expect(dataOf(await ask(`${backend.queryUrl}/api/services`))).to.include('searched');
      expect(dataOf(await ask(`${backend.queryUrl}/api/services/searched/operations`))).to.have.members([
        'span 0',
        'span 1',
      ]);
    });

    it('finds traces by what one of their spans says, or its service, or an event', async () => {
      const [one, other] = ['1'.repeat(32), '2'.repeat(32)];
      const tagged = { traceId: one, service: 'tagged' };
      const text = (stringValue: string): object => ({ stringValue });
      await post(
        { ...tagged, kind: 2, attributes: { subject: text('order-1'), paid: { boolValue: true } } },
        { ...tagged, startUs: 1, attributes: { tries: { intValue: '3' }, share: { doubleValue: 0.5 } } },
        { traceId: one, service: 'aside', startUs: 2, attributes: { subject: text('order-2') } },
        { traceId: other, service: 'tagged', resource: { 'service.version': text('2') }, event: { why: text('late') } },
      );
      await until(one, ({ spanCount }) => spanCount === 3);
      await until(other, ({ spanCount }) => spanCount === 1);
      const found = async (tags: Readonly<Record<string, string>>, service = 'tagged'): Promise<string[]> =>
        (await searchTraces(backend.queryUrl, { ...RECENT, service, tags, limit: 10 })).map(({ traceId }) => traceId);
      expect(await found({ subject: 'order-1' })).to.deep.equal([one]);
      expect(await found({ subject: 'order-1', paid: 'true', 'span.kind': 'server' })).to.deep.equal([one]);
      expect(await found({ tries: '3', share: '0.5' })).to.deep.equal([one]);
      expect(await found({ 'service.version': '2' })).to.deep.equal([other]);
      expect(await found({ why: 'late' })).to.deep.equal([other]);
      expect(await found({})).to.have.members([one, other]);
      // Not another value, not spread over two spans, not the span of another service.
      expect(await found({ subject: 'order-2' })).to.deep.equal([]);
      expect(await found({ subject: 'order-1', tries: '3' })).to.deep.equal([]);
      expect(await found({ subject: 'order-2' }, 'aside')).to.deep.equal([one]);
      expect(await found({ 'service.name': 'tagged' })).to.deep.equal([]);
    });

    it('gives the newest traces when there are too many, by their start and not by when they came', async () => {
      const ids = ['4', '5', '6'].map((digit) => digit.repeat(32));
      for (const [index, traceId] of [...ids.entries()].reverse()) {
        await post({ traceId, service: 'many', startUs: index * 1_000 });
        await until(traceId, ({ spanCount }) => spanCount === 1);
      }
      const search = { ...RECENT, service: 'many', tags: {} };
      const newest = await searchTraces(backend.queryUrl, { ...search, limit: 2 });
      expect(newest.map(({ traceId }) => traceId)).to.deep.equal(ids.slice(1));
      const earlier = { ...search, limit: 2, nowMs: RECENT.nowMs - 3_600_000 };
      expect(await searchTraces(backend.queryUrl, earlier)).to.deep.equal([]);
    });

    it('refuses bad requests', async () => {
      const status = async (path: string): Promise<number> => (await ask(backend.queryUrl + path)).status;
      expect(await fetchTrace(backend.queryUrl, 'e'.repeat(32))).to.equal(undefined);
      expect(await status('/api/traces/not-hex')).to.equal(400);
      expect(await status('/api/traces')).to.equal(400);
      expect(await status('/api/operations')).to.equal(400);
      expect(await status('/api/traces?service=order&limit=many')).to.equal(400);
      expect(await status('/api/traces?service=order&start=early')).to.equal(400);
      for (const tags of ['{', 'a:b', '["a"]', '{"a":1}']) {
        expect(await status(`/api/traces?service=order&tags=${encodeURIComponent(tags)}`), tags).to.equal(400);
      }
      expect((await ask(`${backend.otlpUrl}/v1/traces`)).status).to.equal(405);
      expect((await postSpans(backend.otlpUrl, 'x', { 'content-type': 'text/plain' })).status).to.equal(415);
      for (const body of ['{bad', '{"resourceSpans":"x"}', JSON.stringify(exportOf(1, 'zz'))]) {
        expect((await postSpans(backend.otlpUrl, body)).status, body).to.equal(400);
      }
    });
  });
}

/** What both of them answer; callers say what they expect it to be. */
function dataOf<T>({ text }: { readonly text: string }): T {
  return (JSON.parse(text) as { data: T }).data;
}
