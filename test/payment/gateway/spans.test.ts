import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';

import { silentLog } from '#kit';

import { createStripeGateway } from '../../../services/payment/stripe-gateway.ts';
import { chargeOf, patience } from './gateway-fixture.ts';
import { type ScriptedStripe, startScriptedStripe } from './scripted-stripe.ts';

const API_KEY = 'sk_test_hush';

describe("the Stripe gateway's spans", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('test');
  let stripe: ScriptedStripe;

  before(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    stripe = await startScriptedStripe();
  });

  after(async () => {
    context.disable();
    await stripe.stop();
  });

  it('are one for each attempt, below the caller, without ids in their names or the key anywhere', async () => {
    const gateway = createStripeGateway({ apiKey: API_KEY, apiBase: new URL(stripe.url), maxRetries: 1, log: silentLog, tracer });
    stripe.answer(
      { status: 500, body: { error: { type: 'api_error', message: 'no' } } },
      { status: 200, body: { id: 'pi_1', status: 'processing' } },
      { status: 200, body: { id: 'pi_1', status: 'succeeded' } },
    );
    const parent = tracer.startSpan('parent');
    await context.with(trace.setSpan(context.active(), parent), () => gateway.charge(chargeOf('traced'), patience()));
    await gateway.stop();

    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name }) => name)).to.deep.equal([
      'POST /v1/payment_intents',
      'POST /v1/payment_intents',
      'GET /v1/payment_intents/{id}',
    ]);
    expect(spans.map(({ attributes }) => attributes['http.response.status_code'])).to.deep.equal([500, 200, 200]);
    expect(spans.map(({ status }) => status.code)).to.deep.equal([SpanStatusCode.ERROR, SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
    for (const { kind, parentSpanContext, attributes } of spans) {
      expect(kind).to.equal(SpanKind.CLIENT);
      expect(parentSpanContext?.spanId).to.equal(parent.spanContext().spanId);
      expect(attributes).to.include({ 'server.address': '127.0.0.1', 'server.port': Number(new URL(stripe.url).port) });
      expect(JSON.stringify(attributes)).not.to.include(API_KEY);
    }
  });
});
