import { SpanKind } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, systemClock } from '#kit';
import { extractContext, injectContext, isWhole, linksTo, startTracing, waitForTrace, walk, withSpan } from '#tracing';

import { type Jaeger, startJaeger } from '../backends/jaeger.ts';
import { captureLog } from './captured-log.ts';
import { expectShape, failedSpan, span } from './span-shape.ts';
import { isInstalled } from './trace-backends.ts';

describe('tracing through exporter-jaeger', () => {
  let jaeger: Jaeger;

  before(async function () {
    this.timeout(60_000);
    if (!(await isInstalled())) return this.skip();
    jaeger = await startJaeger();
  });

  after(() => jaeger?.stop());

  it('gives the same tree as OTLP, each span in the service it belongs to', async () => {
    const { log, lines } = captureLog();
    const tracing = await startTracing({ exporter: 'jaeger', jaegerEndpoint: jaeger.thriftHttpEndpoint, sampleRatio: 1, log });
    await tracing.ready;
    const order = tracing.tracer({ service: 'order', version: '1.0.0', instanceId: 'order-1' });
    const payment = tracing.tracer({ service: 'payment', version: '2.0.0', instanceId: 'payment-7' });
    const carrier: Record<string, string> = {};
    const earlier = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const traceId = await withSpan(order, 'PlaceOrder', { kind: SpanKind.SERVER, links: linksTo(earlier) }, async (placed) => {
      await withSpan(order, 'Charge', { kind: SpanKind.CLIENT, attributes: { attempt: 1 } }, () => injectContext(carrier));
      return placed.spanContext().traceId;
    });
    await withSpan(payment, 'Charge', { kind: SpanKind.SERVER, parent: extractContext(carrier) }, async () => {
      // More than one of the exporter's own batches, and a span of another service among them.
      for (let index = 0; index < 150; index += 1) await withSpan(payment, 'step', {}, () => undefined);
      throw refusal('CARD_DECLINED', 'the card was declined; use another one');
    }).catch(() => undefined);
    await tracing.stop();

    const tree = await waitForTrace(jaeger.queryUrl, traceId, ({ spanCount }) => spanCount === 153, { deadlineMs: 8_000, clock: systemClock });
    expect(isWhole(tree)).to.equal(true);
    expectShape(tree, span('server', 'order', 'PlaceOrder', span('client', 'order', 'Charge', failedSpan('server', 'payment', 'Charge'))), {
      ignore: ({ name }) => name === 'step',
    });
    const [root] = tree.roots;
    expect(root?.links).to.deep.equal([{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }]);
    expect(root?.resource).to.include({ 'service.version': '1.0.0', 'service.instance.id': 'order-1' });
    const charge = [...walk(tree.roots)].find(({ service, kind }) => service === 'payment' && kind === 'server');
    expect(charge).to.include({ status: 'error', statusMessage: 'the card was declined; use another one' });
    expect(charge?.resource).to.include({ 'service.version': '2.0.0', 'service.instance.id': 'payment-7' });
    expect(lines).to.deep.equal([]);
  });
});
