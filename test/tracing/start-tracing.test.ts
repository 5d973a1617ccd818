import { context, diag, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { MeshError, silentLog, systemClock } from '#kit';
import {
  fetchTrace,
  isWhole,
  startTracing,
  type Tracing,
  type TracingOptions,
  waitForTrace,
  walk,
  withSpan,
} from '#tracing';
import { type Collector, startCollector } from '#tracing/collector';

import { captureLog } from './captured-log.ts';
import { recordedSpan } from './recorded-span.ts';

const order = { service: 'order', version: '1.0.0', instanceId: 'order-1' };

describe('tracing', () => {
  let collector: Collector;
  let tracing: Tracing | undefined;

  before(async () => {
    collector = await startCollector({ host: '127.0.0.1', otlpPort: 0, queryPort: 0, log: silentLog });
  });

  after(() => collector.stop());

  afterEach(async () => {
    await tracing?.stop();
    tracing = undefined;
  });

  async function start(options: Partial<TracingOptions> = {}): Promise<Tracing> {
    tracing = await startTracing({
      exporter: 'otlp',
      otlpEndpoint: collector.otlpUrl,
      sampleRatio: 1,
      log: silentLog,
      ...options,
    });
    return tracing;
  }

  const idOf = async (from: Tracing): Promise<string> =>
    withSpan(from.tracer(order), 'x', {}, (span) => span.spanContext().traceId);

  it('gives spans the resource of their service, and one tracer for one service', async () => {
    const { tracer } = await start();
    expect(tracer(order)).to.equal(tracer({ ...order }));
    expect(tracer(order)).to.not.equal(tracer({ ...order, instanceId: 'order-2' }));
    const { resource } = recordedSpan(tracer(order).startSpan('x'));
    expect(resource.attributes).to.include({
      'service.name': 'order',
      'service.version': '1.0.0',
      'service.instance.id': 'order-1',
      'telemetry.sdk.language': 'nodejs',
    });
  });

  it('sends by itself after a while', async () => {
    const started = await start({ batchDelayMs: 10 });
    const traceId = await idOf(started);
    await waitForTrace(collector.queryUrl, traceId, isWhole, { deadlineMs: 5_000, clock: systemClock });
  });

  it('sends what is left when it stops, and undoes its set-up', async () => {
    const started = await start();
    const traceId = await idOf(started);
    await Promise.all([started.stop(), started.stop()]);
    expect((await fetchTrace(collector.queryUrl, traceId))?.spanCount).to.equal(1);
    // None of the process's globals is in force any more.
    const left = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '1'.repeat(16), traceFlags: 1 });
    expect(context.with(left, () => trace.getActiveSpan())).to.equal(undefined);
    expect(propagation.fields()).to.deep.equal([]);
    // A span that ends late is dropped without a word.
    await idOf(started);
    await started.flush();
  });

  it('can start again after it stopped', async () => {
    await (await start()).stop();
    const again = await start();
    const traceId = await idOf(again);
    await again.flush();
    expect((await fetchTrace(collector.queryUrl, traceId))?.spanCount).to.equal(1);
  });

  it('tells siblings within one millisecond apart', async () => {
    const started = await start();
    const traceId = await withSpan(started.tracer(order), 'parent', {}, async (span) => {
      for (let step = 0; step < 10; step += 1)
        await withSpan(started.tracer(order), `step ${step}`, {}, () => undefined);
      return span.spanContext().traceId;
    });
    await started.flush();
    const tree = await fetchTrace(collector.queryUrl, traceId);
    const [parent, ...steps] = [...walk(tree?.roots ?? [])];
    expect(steps.map(({ name }) => name)).to.deep.equal(Array.from({ length: 10 }, (_, step) => `step ${step}`));
    const endUs = (parent?.startUs ?? 0) + (parent?.durationUs ?? 0);
    for (const step of steps) expect(step.startUs + step.durationUs).to.be.within(parent?.startUs ?? 0, endUs + 1);
    expect(Math.abs((parent?.startUs ?? 0) / 1_000 - Date.now())).to.be.below(60_000);
  });

  it('records the share of traces it is told, and what the caller recorded', async () => {
    const started = await start({ sampleRatio: 0 });
    const tracer = started.tracer(order);
    expect(tracer.startSpan('x').isRecording()).to.equal(false);
    for (const traceFlags of [0, 1]) {
      const caller = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags, isRemote: true };
      const called = tracer.startSpan('x', {}, trace.setSpanContext(ROOT_CONTEXT, caller));
      expect(called.isRecording()).to.equal(traceFlags === 1);
    }
  });

  it('bounds what one span may hold', async () => {
    const span = (await start()).tracer(order).startSpan('x');
    for (let index = 0; index < 200; index += 1)
      span.setAttribute(`key ${index}`, 'x'.repeat(10_000)).addEvent('again');
    const { attributes, events } = recordedSpan(span);
    expect(Object.keys(attributes)).to.have.length(64);
    expect(attributes['key 0']).to.have.length(2_048);
    expect(events).to.have.length(32);
  });

  it('appends the path to the endpoint, and refuses what is no endpoint', async () => {
    const started = await start({ otlpEndpoint: `${collector.otlpUrl}/` });
    const traceId = await idOf(started);
    await started.stop();
    expect((await fetchTrace(collector.queryUrl, traceId))?.spanCount).to.equal(1);

    const bad: Partial<TracingOptions>[] = [
      { otlpEndpoint: 'localhost:4318' },
      { otlpEndpoint: 'ftp://localhost' },
      { exporter: 'jaeger' },
      { exporter: 'jaeger', jaegerEndpoint: 'nowhere' },
      { sampleRatio: 2 },
      { sampleRatio: NaN },
    ];
    for (const options of bad) {
      const thrown = await start(options).catch((caught: unknown) => caught);
      expect(thrown, JSON.stringify(options)).to.be.instanceOf(MeshError).and.include({ reason: 'INVALID_SETTING' });
    }
  });

  it("writes the SDK's complaints to the log, at debug", async () => {
    const { log, lines } = captureLog('debug');
    await start({ log });
    diag.error('a complaint', 1);
    diag.info('a remark');
    const complaints = lines.filter(({ source }) => source === 'opentelemetry');
    expect(complaints).to.have.length(1);
    expect(complaints[0]).to.include({ level: 'debug', msg: 'a complaint' });
  });
});
