import { expect } from 'chai';

import { startTracing } from '#tracing';

import { type Jaeger, startJaeger } from '../backends/jaeger.ts';
import { captureLog } from './captured-log.ts';
import { isInstalled } from './trace-backends.ts';
import { expectOrder, traceOrder } from './traced-order.ts';

describe('tracing through exporter-jaeger', () => {
  let jaeger: Jaeger;

  before(async function () {
    this.timeout(60_000);
    if (!(await isInstalled())) return this.skip();
    jaeger = await startJaeger();
  });

  after(() => jaeger?.stop());

  it('gives the same tree as OTLP', async () => {
    const { log, lines } = captureLog();
    const { thriftHttpEndpoint } = jaeger;
    const tracing = await startTracing({ exporter: 'jaeger', jaegerEndpoint: thriftHttpEndpoint, sampleRatio: 1, log });
    const traceId = await traceOrder(tracing);
    await tracing.stop();
    await expectOrder(jaeger.queryUrl, traceId);
    expect(lines).to.deep.equal([]);
  });
});
