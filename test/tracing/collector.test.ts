import { gzipSync } from 'node:zlib';

import { expect } from 'chai';

import { MeshError, silentLog } from '#kit';
import { fetchTrace } from '#tracing';
import { type Collector, type CollectorOptions, startCollector } from '#tracing/collector';

import { captureLog } from './captured-log.ts';
import { ask, type HttpAnswer, postSpans } from './http.ts';
import { exportOf, TRACE_ID } from './otlp-json.ts';

describe('span collector', () => {
  const started: Collector[] = [];

  async function start(options: Partial<CollectorOptions> = {}): Promise<Collector> {
    const collector = await startCollector({
      host: '127.0.0.1',
      otlpPort: 0,
      queryPort: 0,
      log: silentLog,
      ...options,
    });
    started.push(collector);
    return collector;
  }

  afterEach(async () => {
    await Promise.all(started.splice(0).map((collector) => collector.stop()));
  });

  const sentence = ({ text }: HttpAnswer): string => String((JSON.parse(text) as { message: unknown }).message);
  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

  it('says that it is a stand-in, and where it listens', async () => {
    const { log, lines } = captureLog();
    const { otlpUrl, queryUrl } = await start({ log });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ otlpUrl, queryUrl });
    expect(lines[0]?.msg).to.contain('stand-in');
  });

  it('refuses a port that is taken, and leaves the other one free', async () => {
    const first = await start();
    const taken = Number(new URL(first.queryUrl).port);
    const thrown = await failure(start({ queryPort: taken }));
    expect(thrown).to.be.instanceOf(MeshError).and.include({ reason: 'PORT_IN_USE' });
    expect(String(thrown)).to.contain(String(taken));
    const otlpPort = Number(new URL(first.otlpUrl).port);
    await first.stop();
    // Both ports of the first are free again, and the failed start has kept none.
    await start({ otlpPort, queryPort: taken });
  });

  it('says which address it cannot listen on', async () => {
    const thrown = await failure(start({ host: '192.0.2.1' }));
    expect(thrown).to.include({ reason: 'START_FAILED' });
  });

  it('refuses a body that is too large, announced or not, zipped or not', async () => {
    const { otlpUrl, queryUrl } = await start({ maxBodyBytes: 2_000 });
    const large = JSON.stringify(exportOf(20));
    const answers = [
      await postSpans(otlpUrl, large, { 'content-length': String(Buffer.byteLength(large)) }),
      await postSpans(otlpUrl, large, { 'transfer-encoding': 'chunked' }),
      await postSpans(otlpUrl, gzipSync(large), { 'content-encoding': 'gzip' }),
    ];
    for (const answer of answers) {
      expect(answer.status).to.equal(413);
      expect(sentence(answer)).to.contain('2000 bytes');
    }
    expect(await fetchTrace(queryUrl, TRACE_ID)).to.equal(undefined);
  });

  it('says what it does not take', async () => {
    const { otlpUrl } = await start();
    const protobuf = await postSpans(otlpUrl, 'x', { 'content-type': 'application/x-protobuf' });
    expect(protobuf.status).to.equal(415);
    expect(sentence(protobuf)).to.contain('http/json');
    const encoding = await postSpans(otlpUrl, 'x', { 'content-encoding': 'br' });
    expect(encoding.status).to.equal(415);
    const metrics = await ask(`${otlpUrl}/v1/metrics`, { method: 'POST' });
    expect(metrics.status).to.equal(501);
    expect(sentence(metrics)).to.contain('traces only');
    expect((await ask(`${otlpUrl}/else`)).status).to.equal(404);
  });

  it('says where a bad body is bad, and takes none of it', async () => {
    const { otlpUrl, queryUrl } = await start();
    const mixed = {
      resourceSpans: [
        ...(exportOf(1) as { resourceSpans: object[] }).resourceSpans,
        { scopeSpans: [{ spans: [{ traceId: TRACE_ID, spanId: '1' }] }] },
      ],
    };
    const cases: [string | Uint8Array | object, string, Record<string, string>?][] = [
      [mixed, 'resourceSpans[1].scopeSpans[0].spans[0].spanId'],
      [{ resourceSpans: [{ scopeSpans: {} }] }, 'resourceSpans[0].scopeSpans is not a list'],
      [{ resourceSpans: [7] }, 'resourceSpans[0] is not an object'],
      ['[]', 'the body is not an object'],
      ['', 'not JSON'],
      ['no gzip', 'not gzip', { 'content-encoding': 'gzip' }],
    ];
    for (const [body, complaint, headers] of cases) {
      const answer = await postSpans(otlpUrl, body, headers);
      expect(answer.status).to.equal(400);
      expect(sentence(answer)).to.contain(complaint);
    }
    expect(await fetchTrace(queryUrl, TRACE_ID)).to.equal(undefined);
  });

  it('shows what it can of spans that make no sense', async () => {
    const { otlpUrl, queryUrl } = await start();
    let deep: object = { stringValue: 'bottom' };
    for (let level = 0; level < 1_000; level += 1) deep = { arrayValue: { values: [deep] } };
    const attributes = [
      7,
      { key: 'deep', value: deep },
      { key: 3, value: {} },
      { key: '__proto__', value: { stringValue: 'x' } },
    ];
    const span = {
      traceId: TRACE_ID,
      spanId: '00f067aa0ba902b7',
      kind: 'x',
      startTimeUnixNano: -5,
      endTimeUnixNano: {},
      attributes,
      events: 'x',
      links: [{}],
      status: 9,
    };
    expect(
      (
        await postSpans(otlpUrl, {
          resourceSpans: [{ resource: { attributes: 'x' }, scopeSpans: [{ spans: [span] }] }],
        })
      ).status,
    ).to.equal(200);
    const tree = await fetchTrace(queryUrl, TRACE_ID);
    expect(tree?.spanCount).to.equal(1);
    expect(tree?.roots[0]).to.include({ service: 'missing-service-name', durationUs: 0, status: 'unset' });
  });

  it('tells in a trace that it dropped spans of it', async () => {
    const { otlpUrl, queryUrl } = await start({ maxSpansPerTrace: 2 });
    await postSpans(otlpUrl, exportOf(5));
    const tree = await fetchTrace(queryUrl, TRACE_ID);
    expect(tree?.spanCount).to.equal(2);
    expect(tree?.warnings.join()).to.contain('3 more spans');
  });

  it('answers 501 with a sentence for what only a real Jaeger answers', async () => {
    const { queryUrl } = await start();
    for (const path of ['/', '/api/dependencies', '/api/v3/traces', '/api/traces?service=order&minDuration=1s']) {
      const { status, text } = await ask(queryUrl + path);
      expect(status, path).to.equal(501);
      expect(text).to.contain('real Jaeger');
    }
  });

  it('stops with a client connected, and twice', async () => {
    const { otlpUrl, stop } = await start();
    const held = await fetch(`${otlpUrl}/v1/traces`);
    await held.text();
    await stop();
    await stop();
    const thrown = await failure(ask(`${otlpUrl}/v1/traces`));
    expect(thrown).to.include({ code: 'ECONNREFUSED' });
  });
});
