import {
  context,
  createTraceState,
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { expect } from 'chai';

import { recordedSpan } from './recorded-span.ts';
import { recordSpans } from './span-recorder.ts';

const CALLER: SpanContext = { traceId: 'a1'.repeat(16), spanId: 'b2'.repeat(8), traceFlags: TraceFlags.SAMPLED, isRemote: true };
const below = (parent: SpanContext): ReturnType<typeof trace.setSpanContext> => trace.setSpanContext(ROOT_CONTEXT, parent);

describe('a tracer', () => {
  it('begins a trace where there is no parent, or none is wanted', () => {
    const { tracer } = recordSpans();
    const roots = [
      tracer.startSpan('x', {}, ROOT_CONTEXT),
      tracer.startSpan('x', { root: true }, below(CALLER)),
      tracer.startSpan('x', {}, below(INVALID_SPAN_CONTEXT)),
      tracer.startSpan('x', {}, below({ ...CALLER, traceId: 'no trace id' })),
    ];
    const traceIds = roots.map((span) => span.spanContext().traceId);
    expect(new Set([...traceIds, CALLER.traceId]).size).to.equal(5);
    for (const span of roots) expect(recordedSpan(span).parentSpanContext).to.equal(undefined);
  });

  it("goes on with its parent's trace, and with what travels in tracestate", () => {
    const { tracer } = recordSpans();
    const traceState = createTraceState('vendor=1');
    const span = tracer.startSpan('x', {}, below({ ...CALLER, traceState }));
    expect(span.spanContext()).to.include({ traceId: CALLER.traceId, traceFlags: TraceFlags.SAMPLED, traceState });
    expect(span.spanContext().spanId).to.not.equal(CALLER.spanId);
    expect(recordedSpan(span).parentSpanContext).to.deep.equal({ ...CALLER, traceState });
    const child = tracer.startSpan('y', {}, trace.setSpan(ROOT_CONTEXT, span));
    expect(recordedSpan(child).parentSpanContext).to.equal(span.spanContext());
  });

  it('asks which traces to record where they begin, and only there', () => {
    const asked: string[] = [];
    const isSampled = (traceId: string): boolean => asked.push(traceId) > 1;
    const { tracer, ended } = recordSpans({ isSampled });
    const [unsampled, sampled] = [tracer.startSpan('x', {}, ROOT_CONTEXT), tracer.startSpan('x', {}, ROOT_CONTEXT)];
    tracer.startSpan('y', {}, trace.setSpan(ROOT_CONTEXT, unsampled)).end();
    tracer.startSpan('y', {}, trace.setSpan(ROOT_CONTEXT, sampled)).end();
    expect(asked).to.deep.equal([unsampled, sampled].map((span) => span.spanContext().traceId));
    expect(ended.map((span) => span.spanContext().traceId)).to.deep.equal([sampled.spanContext().traceId]);
  });

  it('gives a span that is not recorded an id of its own, which the next hop sees', () => {
    const { tracer, ended } = recordSpans();
    const span = tracer.startSpan('x', { attributes: { a: 1 } }, below({ ...CALLER, traceFlags: TraceFlags.NONE }));
    expect(span.isRecording()).to.equal(false);
    expect(span.spanContext()).to.include({ traceId: CALLER.traceId, traceFlags: TraceFlags.NONE });
    expect(span.spanContext().spanId).to.match(/^[0-9a-f]{16}$/).and.not.equal(CALLER.spanId);
    span.setAttribute('b', 2).end();
    expect(ended).to.have.length(0);
  });

  it('makes no span of what an exporter does', () => {
    const { tracer } = recordSpans();
    const span = tracer.startSpan('x', {}, suppressTracing(below(CALLER)));
    expect(span.isRecording()).to.equal(false);
    expect(span.spanContext()).to.deep.equal(INVALID_SPAN_CONTEXT);
  });

  it('runs a function with its span, however it is told of options and parent', () => {
    const { tracer } = recordSpans();
    const see = (span: Span): unknown => recordedSpan(span).parentSpanContext?.spanId;
    expect(tracer.startActiveSpan('x', see)).to.equal(undefined);
    expect(tracer.startActiveSpan('x', { attributes: { a: 1 } }, (span) => recordedSpan(span).attributes)).to.deep.equal({ a: 1 });
    expect(tracer.startActiveSpan('x', {}, below(CALLER), see)).to.equal(CALLER.spanId);
    expect(trace.getSpan(context.active())).to.equal(undefined);
  });
});
