import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, silentLog } from '#kit';
import { currentTraceparent, extractContext, startTracing, type Tracing, withSpan } from '#tracing';

import { recordedSpan } from './recorded-span.ts';

describe('span helpers', () => {
  let tracing: Tracing;

  before(async () => {
    tracing = await startTracing({ exporter: 'none', sampleRatio: 1, log: silentLog });
  });

  after(() => tracing.stop());

  const tracer = (service: string): ReturnType<Tracing['tracer']> =>
    tracing.tracer({ service, version: '1', instanceId: `${service}-1` });
  const failWith = (thrown: unknown) => async (): Promise<never> => {
    throw thrown;
  };

  it('nests spans of several tracers by the active context, across awaits', async () => {
    await withSpan(tracer('order'), 'outer', { kind: SpanKind.SERVER, attributes: { a: 1 } }, async (outer) => {
      await Promise.resolve();
      await withSpan(tracer('user'), 'inner', {}, async (inner) => {
        expect(recordedSpan(inner).parentSpanContext?.spanId).to.equal(outer.spanContext().spanId);
        expect(inner.spanContext().traceId).to.equal(outer.spanContext().traceId);
      });
      expect(trace.getActiveSpan()).to.equal(outer);
      expect(recordedSpan(outer)).to.include({ kind: SpanKind.SERVER, name: 'outer' });
      expect(recordedSpan(outer).attributes).to.deep.equal({ a: 1 });
    });
    expect(trace.getActiveSpan()).to.equal(undefined);
  });

  it('gives back what the function gives, and ends the span', async () => {
    let used: Span | undefined;
    const value = await withSpan(tracer('order'), 'x', {}, (span) => {
      used = span;
      expect(span.isRecording()).to.equal(true);
      return 42;
    });
    expect(value).to.equal(42);
    expect(used?.isRecording()).to.equal(false);
  });

  it('records a refusal with its sentence, code and reason, and throws it on', async () => {
    const error = refusal('OUT_OF_STOCK', 'only 2 are left; order fewer');
    let failed;
    const thrown = await withSpan(tracer('order'), 'x', {}, (span) => {
      failed = recordedSpan(span);
      throw error;
    }).catch((caught: unknown) => caught);
    expect(thrown).to.equal(error);
    expect(failed).to.deep.include({
      status: { code: SpanStatusCode.ERROR, message: 'only 2 are left; order fewer' },
      attributes: { 'error.type': 'FAILED_PRECONDITION', 'mesh.error.reason': 'OUT_OF_STOCK' },
    });
  });

  it('keeps the words of an error that is not ours out of the span', async () => {
    const thrown: [unknown, string][] = [
      [Object.assign(new Error('password "hunter2" is wrong'), { code: '28P01' }), '28P01'],
      [new TypeError('secret'), 'TypeError'],
      ['secret', '_OTHER'],
    ];
    for (const [error, type] of thrown) {
      let failed;
      await withSpan(tracer('order'), 'x', {}, (span) => {
        failed = recordedSpan(span);
        return failWith(error)();
      }).catch(() => undefined);
      const text = JSON.stringify([
        recordedSpan(failed).status,
        recordedSpan(failed).attributes,
        recordedSpan(failed).events,
      ]);
      expect(text)
        .to.contain(type)
        .and.not.match(/secret|hunter2/);
    }
  });

  it('carries the context to another process', async () => {
    await withSpan(tracer('order'), 'x', {}, (span) => {
      const { traceId, spanId } = span.spanContext();
      const traceparent = currentTraceparent();
      expect(traceparent).to.equal(`00-${traceId}-${spanId}-01`);
      const extracted = trace.getSpanContext(extractContext({ traceparent }));
      expect(extracted).to.deep.include({ traceId, spanId, traceFlags: 1, isRemote: true });
    });
  });

  it('carries tracestate on', () => {
    const carrier = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`, tracestate: 'vendor=1' };
    expect(sentFrom(extractContext(carrier))).to.deep.equal(carrier);
  });

  it('makes nothing of what is missing or malformed, nor of a span that happens to be active', async () => {
    expect(currentTraceparent()).to.equal(undefined);
    expect(sentFrom(context.active())).to.deep.equal({});
    await withSpan(tracer('order'), 'bystander', {}, () => {
      for (const traceparent of [
        undefined,
        '',
        'x',
        `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
        `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      ]) {
        expect(trace.getSpanContext(extractContext({ traceparent }))).to.equal(undefined);
      }
    });
  });

  it('propagates nothing but the trace', () => {
    const baggage = propagation.setBaggage(context.active(), propagation.createBaggage({ user: { value: 'u-1' } }));
    expect(sentFrom(baggage)).to.deep.equal({});
  });
});

/** The headers of a call that is made in this context. */
function sentFrom(from: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(from, headers);
  return headers;
}
