import {
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import * as fc from 'fast-check';

import { SPAN_LIMITS } from '../../tracing/sdk/span-limits.ts';
import { exportedBody } from './exported-body.ts';
import { recordedSpan } from './recorded-span.ts';
import { EPOCH_MS } from './ruled-clocks.ts';
import { recordSdkSpans, recordSpans } from './span-recorder.ts';

const ids = { traceId: () => 'a'.repeat(32), spanId: () => 'b'.repeat(16) };
const EARLIER = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: TraceFlags.SAMPLED };
const THROWN = new TypeError('boom');

describe('a recording span', () => {
  describe("holds what the SDK's own holds, field by field", () => {
    it('after every method of the API', () => {
      expectSame((tracer) => {
        const span = tracer.startSpan('before', {
          kind: SpanKind.CLIENT,
          attributes: { text: 'x', whole: 42, part: 1.5, yes: true, list: ['p', 'q'], nothing: undefined },
          links: [{ context: EARLIER, attributes: { why: 'resumed' } }],
          startTime: EPOCH_MS,
        });
        span.setAttribute('text', 'y').setAttributes({ map: { inner: [1, 'a'] }, bytes: new Uint8Array([1, 2]) });
        span.addEvent('bare', EPOCH_MS + 1).addEvent('full', { a: 1, nested: { no: 1 } }, [EPOCH_MS / 1_000, 2_000_000]);
        span.addLink({ context: EARLIER }).addLinks([{ context: EARLIER, attributes: { n: 1 } }]);
        span.recordException(THROWN, EPOCH_MS + 3);
        span.recordException('a sentence', EPOCH_MS + 4);
        span.recordException({ code: 23505, message: 'taken' }, EPOCH_MS + 4);
        span.recordException({ message: '' }, EPOCH_MS + 4);
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'it broke' }).updateName('after');
        span.end(new Date(EPOCH_MS + 5));
      });
    });

    it('at the limits of what it may hold', () => {
      expectSame((tracer) => {
        const span = tracer.startSpan('full', { startTime: EPOCH_MS });
        for (let index = 0; index < 100; index += 1) {
          span.setAttribute(`key ${index}`, ['x'.repeat(3_000), 'y']);
          span.addEvent(`event ${index}`, manyAttributes(), EPOCH_MS);
          span.addLink({ context: { ...EARLIER, spanId: String(index).padStart(16, '0') }, attributes: manyAttributes() });
        }
        span.setAttribute('key 3', 'overwritten').setAttribute('text', 'x'.repeat(3_000)).end(EPOCH_MS + 1);
      });
    });

    it('when it starts with more than it may hold', () => {
      expectSame((tracer) => {
        const links = Array.from({ length: 40 }, () => ({ context: EARLIER }));
        tracer.startSpan('x', { attributes: manyAttributes(), links, startTime: EPOCH_MS }).end(EPOCH_MS + 1);
      });
    });

    it('when its end is said to lie before its start', () => {
      expectSame((tracer) => tracer.startSpan('x', { startTime: EPOCH_MS }).end(EPOCH_MS - 5));
    });

    it('whatever is called in whatever order', () => {
      const calls = fc.array(anyCall, { maxLength: 40 });
      const options = fc.record({ kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER), attributes: anyGoodAttributes });
      const property = fc.property(options, calls, (given, all) => {
        expectSame((tracer) => play(tracer, { ...given, startTime: EPOCH_MS }, all));
      });
      fc.assert(property, { numRuns: 100 });
    });
  });

  it("arrives where it is sent just as the SDK's does", async () => {
    const caller = { ...EARLIER, isRemote: true, traceState: createTraceState('vendor=1') };
    const remote = trace.setSpanContext(ROOT_CONTEXT, caller);
    const [ours, theirs] = [recordSpans({ ids }), recordSdkSpans({ ids })];
    for (const { tracer } of [ours, theirs]) {
      const options = { kind: SpanKind.SERVER, attributes: { a: 1, b: ['x'], c: null }, startTime: EPOCH_MS };
      const span = tracer.startSpan('called', options, remote).addEvent('event', { a: true }, EPOCH_MS + 1);
      span.addLink({ context: EARLIER }).setStatus({ code: SpanStatusCode.ERROR, message: 'it broke' }).end(EPOCH_MS + 2.5);
      tracer.startSpan('root', { startTime: EPOCH_MS }, ROOT_CONTEXT).end(EPOCH_MS + 1);
    }
    const [body, expected] = [await exportedBody(ours.ended), await exportedBody(theirs.ended)];
    expect(body).to.deep.equal(expected);
    expect(JSON.stringify(body)).to.include('"traceState":"vendor=1"');
  });

  it('ends once, and takes nothing after its end', () => {
    const { tracer, ended } = recordSpans();
    const span = tracer.startSpan('x', { attributes: { a: 1 } });
    span.end();
    const { endTime } = recordedSpan(span);
    span.setAttribute('b', 2).addEvent('late').addLink({ context: EARLIER }).setStatus({ code: SpanStatusCode.ERROR });
    span.updateName('y').recordException('late');
    span.end(EPOCH_MS * 2);
    expect(ended).to.have.length(1);
    const { name, attributes, events, links, status } = recordedSpan(span);
    const expected = { name: 'x', attributes: { a: 1 }, events: [], links: [], status: { code: SpanStatusCode.UNSET } };
    expect({ name, attributes, events, links, status }).to.deep.equal(expected);
    expect(recordedSpan(span).endTime).to.deep.equal(endTime);
    expect(span.isRecording()).to.equal(false);
  });

  it('does not share its attributes with the options that others start with, too', () => {
    const { tracer } = recordSpans();
    const options = { attributes: { a: 1 } };
    tracer.startSpan('x', options).setAttribute('a', 2);
    expect(recordedSpan(tracer.startSpan('y', options)).attributes).to.deep.equal({ a: 1 });
  });
});

/** Asserts that our tracer and the SDK's end the same spans. */
function expectSame(use: (tracer: Tracer) => void): void {
  const [ours, theirs] = [recordSpans({ ids }), recordSdkSpans({ ids })];
  use(ours.tracer);
  use(theirs.tracer);
  expect(theirs.ended).to.have.length(1);
  expect(ours.ended.map(fieldsOf)).to.deep.equal(theirs.ended.map(fieldsOf));
}

/** All that an exporter can read. */
function fieldsOf(span: ReadableSpan): object {
  const { name, kind, parentSpanContext, startTime, endTime, status, attributes, links, events, duration, ended } = span;
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  const { name: scope } = span.instrumentationScope;
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    ...{ name, kind, parentSpanContext, startTime, endTime, status, attributes, links, events, duration, ended },
    ...{ droppedAttributesCount, droppedEventsCount, droppedLinksCount, scope, traceId, spanId, traceFlags },
    resource: span.resource.attributes,
  };
}

function manyAttributes(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`key ${index}`, 'x'.repeat(3_000)]));
}

/** What an application may do to a span. */
type SpanCall = (span: Span) => void;

const anyKey = fc.constantFrom('a', 'b', 'rpc.method', 'long');
const anyGoodValue = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.double(), fc.array(fc.string()), fc.constant(null));
const anyValue = fc.oneof(anyGoodValue, fc.constantFrom(undefined, 1n, 'x'.repeat(SPAN_LIMITS.attributeValueLengthLimit + 1), new Map()));
const anyGoodAttributes = fc.dictionary(anyKey, anyGoodValue);
const anyAttributes = fc.dictionary(fc.oneof(anyKey, fc.constant('')), anyValue);
const anyTime = fc.integer({ min: 0, max: 5_000 }).map((us): [number, number] => [EPOCH_MS / 1_000, us * 1_000]);
const anyCode = fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR);
const anyCall: fc.Arbitrary<SpanCall> = fc.oneof(
  fc.tuple(anyKey, anyValue).map(([key, value]): SpanCall => (span) => void span.setAttribute(key, value)),
  anyAttributes.map((attributes): SpanCall => (span) => void span.setAttributes(attributes)),
  fc.tuple(anyAttributes, anyTime).map(([attributes, time]): SpanCall => (span) => void span.addEvent('event', attributes, time)),
  anyAttributes.map((attributes): SpanCall => (span) => void span.addLink({ context: EARLIER, attributes })),
  fc.tuple(anyCode, fc.string()).map(([code, message]): SpanCall => (span) => void span.setStatus({ code, message })),
  fc.string().map((name): SpanCall => (span) => void span.updateName(name)),
  fc.tuple(fc.string(), anyTime).map(([message, time]): SpanCall => (span) => span.recordException(message, time)),
  fc.tuple(fc.constant(0), anyTime).map(([, time]): SpanCall => (span) => span.end(time)),
);

function play(tracer: Tracer, options: SpanOptions, calls: readonly SpanCall[]): void {
  const span = tracer.startSpan('x', options);
  for (const call of calls) call(span);
  span.end([EPOCH_MS / 1_000, 9_000_000]);
}
