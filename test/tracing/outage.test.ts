import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';

import { silentLog, systemClock } from '#kit';
import { fetchTrace, startTracing, type Tracing, withSpan } from '#tracing';
import { startCollector } from '#tracing/collector';

import { freePort } from '../backends/free-port.ts';
import { captureLog, type LogLine } from './captured-log.ts';
import { runAndStop } from './run-and-stop.ts';
import { until } from './until.ts';

const order = { service: 'order', version: '1', instanceId: 'order-1' };
const levels = (lines: readonly LogLine[]): string[] => lines.map(({ level }) => level);

describe('a trace backend that is down', () => {
  const endSpan = (tracing: Tracing): string => {
    const span = tracing.tracer(order).startSpan('x');
    span.end();
    return span.spanContext().traceId;
  };

  it('is told of once, and once when it is back', async () => {
    const { log, lines } = captureLog();
    let nowMs = 0;
    const clock = { ...systemClock, now: () => nowMs };
    const otlpPort = await freePort();
    // Too short for a retry, so that each flush is one attempt.
    const tracing = await startTracing({
      exporter: 'otlp',
      otlpEndpoint: `http://secret:word@127.0.0.1:${otlpPort}`,
      sampleRatio: 1,
      log,
      exportTimeoutMs: 500,
      clock,
    });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      nowMs += 1_000;
      endSpan(tracing);
      await tracing.flush();
    }
    expect(levels(lines)).to.deep.equal(['warn']);
    expect(lines[0]?.['endpoint']).to.equal(`http://127.0.0.1:${otlpPort}/v1/traces`);
    expect(lines[0]?.['cause']).to.contain('ECONNREFUSED');

    const collector = await startCollector({ host: '127.0.0.1', otlpPort, queryPort: 0, log: silentLog });
    try {
      nowMs += 1_000;
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const traceId = endSpan(tracing);
        await tracing.flush();
        expect((await fetchTrace(collector.queryUrl, traceId))?.spanCount).to.equal(1);
      }
      expect(levels(lines)).to.deep.equal(['warn', 'info']);
    } finally {
      await tracing.stop();
      await collector.stop();
    }
  });

  it('over thrift is told of as well', async () => {
    const { log, lines } = captureLog();
    const port = await freePort();
    const tracing = await startTracing({
      exporter: 'jaeger',
      jaegerEndpoint: `http://127.0.0.1:${port}/api/traces`,
      sampleRatio: 1,
      log,
    });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      endSpan(tracing);
      await tracing.flush();
    }
    await tracing.stop();
    expect(levels(lines)).to.deep.equal(['warn']);
    expect(lines[0]?.['cause']).to.contain('ECONNREFUSED');
  });

  describe('but takes connections', () => {
    let silent: Server;
    let url = '';
    const bodies: Promise<string>[] = [];
    let release: () => void = () => undefined;

    beforeEach(async () => {
      const released = new Promise<void>((resolve) => (release = resolve));
      bodies.length = 0;
      silent = createServer((request, response) => {
        bodies.push(
          request
            .setEncoding('utf8')
            .toArray()
            .then((chunks) => chunks.join('')),
        );
        void released.then(() => response.setHeader('content-type', 'application/json').end('{}'));
      }).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    });

    afterEach(async () => {
      silent.close();
      silent.closeAllConnections();
      await once(silent, 'close');
    });

    it('costs a bounded number of spans in memory, and no call', async () => {
      const tracing = await startTracing({
        exporter: 'otlp',
        otlpEndpoint: url,
        sampleRatio: 1,
        log: silentLog,
        maxQueuedSpans: 100,
      });
      for (let index = 0; index < 100; index += 1) endSpan(tracing);
      await until('the first batch', () => bodies.length === 1);
      for (let index = 0; index < 5_000; index += 1) await withSpan(tracing.tracer(order), 'x', {}, () => undefined);
      release();
      await tracing.stop();
      const sent = (await Promise.all(bodies)).map((body) => body.match(/"spanId"/g)?.length ?? 0);
      expect(sent).to.deep.equal([100, 100]);
    });

    for (const exporter of ['otlp', 'jaeger'] as const) {
      it(`does not keep a process from ending (${exporter})`, async () => {
        const { lingeredMs, lines } = await runAndStop({
          exporter,
          endpoint: url,
          exportTimeoutMs: 2_000,
          flushTimeoutMs: 100,
        });
        expect(lingeredMs).to.be.below(500);
        // It is being stopped: that the last spans are lost is nobody's alarm.
        expect(lines).to.deep.equal([]);
      });
    }
  });

  it('that is gone does not keep a process from ending either', async () => {
    const { lingeredMs } = await runAndStop({
      exporter: 'otlp',
      endpoint: `http://127.0.0.1:${await freePort()}`,
      exportTimeoutMs: 3_000,
      flushTimeoutMs: 2_000,
    });
    expect(lingeredMs).to.be.below(500);
  });
});
