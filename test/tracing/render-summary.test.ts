import { expect } from 'chai';

import { describeTrace, renderSummary } from '#tracing';

import { buildTree } from '../../tracing/trace-tree.ts';
import { EPOCH_US, type SpanDraft, TRACE_ID, traceOf } from './trace-json.ts';

const FAR = 'f'.repeat(32);
const DECLINED = { 'mesh.error.reason': 'CARD_DECLINED', 'error.type': 'FAILED_PRECONDITION' };
const FAILED = { ...DECLINED, error: true, 'otel.status_description': 'the card was declined; use another one' };

/** An order whose card is declined: refused by payment, failed for its callers, compensated after the answer. */
const declined: readonly SpanDraft[] = [
  { id: 'a', name: 'shop.order.v1.OrderService/PlaceOrder', durationUs: 10_000, tags: { 'span.kind': 'server' } },
  { id: 'b', parent: 'a', name: 'saga charge', startUs: 1_000, durationUs: 8_000, tags: FAILED },
  {
    id: 'c',
    parent: 'b',
    name: 'shop.payment.v1.PaymentService/Charge',
    startUs: 2_000,
    durationUs: 6_000,
    tags: { 'span.kind': 'client', 'rpc.method': 'Charge', ...FAILED },
  },
  {
    id: 'd',
    parent: 'c',
    service: 'payment',
    name: 'shop.payment.v1.PaymentService/Charge',
    startUs: 3_000,
    durationUs: 4_000,
    tags: { 'span.kind': 'server', ...DECLINED },
  },
  {
    id: 'e',
    parent: 'a',
    name: 'saga compensate reserve',
    startUs: 15_000,
    durationUs: 5_000,
    links: [{ traceId: FAR, spanId: 'x' }],
  },
];

const summary = (drafts: readonly SpanDraft[], width = 100): string[] =>
  renderSummary(buildTree(traceOf(...drafts)), { width }).split('\n');

describe('what a trace comes to', () => {
  it('is on what its time went, by operation, and where its errors came from', () => {
    expect(summary(declined)).to.deep.equal([
      'Critical path, 20.0 ms, of which 10.0 ms after the end of OrderService/PlaceOrder:',
      '    5.0 ms   25 %           nothing was running',
      '    5.0 ms   25 %  order    saga compensate reserve',
      '    4.0 ms   20 %  payment  PaymentService/Charge',
      '    2.0 ms   10 %  order    OrderService/PlaceOrder',
      '    2.0 ms   10 %  order    saga charge',
      '    2.0 ms   10 %  order    → PaymentService/Charge',
      '',
      'Errors:',
      '  payment  PaymentService/Charge  CARD_DECLINED: the card was declined; use another one',
    ]);
  });

  it('counts what is too many for a list', () => {
    const steps = Array.from({ length: 40 }, (_, index) => ({
      id: `s${index}`,
      name: `step ${index}`,
      parent: 'root',
      startUs: index * 10,
      tags: { error: true, 'otel.status_description': `no ${index}` },
    }));
    const lines = summary([{ id: 'root', durationUs: 400 }, ...steps]);
    expect(lines[13]).to.match(/^ {3}0\.28 ms {3}70 % {2}28 other operations$/);
    expect(lines.at(-1)).to.equal('  and 28 more errors');
  });

  it('says once what failed the same way many times', () => {
    const tags = { error: true, 'error.type': '53300' };
    const tries = ['b', 'c', 'd'].map((id) => ({ id, parent: 'a', name: 'try', tags }));
    expect(summary([{ id: 'a' }, ...tries]).at(-1)).to.equal('  order  try  53300 (3 times)');
  });

  it('is nothing for a trace without a span, and no error where there is none', () => {
    expect(renderSummary(buildTree(traceOf()))).to.equal('');
    expect(summary([{ id: 'a' }])).to.deep.equal(['Critical path, 0.01 ms:', '   0.01 ms  100 %  order  a']);
  });

  it('stays within its width and shows no control character', () => {
    const tags = { error: true, 'otel.status_description': '\u001b[2J' };
    const lines = summary([{ id: 'a', name: 'x'.repeat(200), tags }], 80);
    expect(Math.max(...lines.map(({ length }) => length))).to.equal(80);
    expect(lines.join('')).to.contain('…').and.to.not.match(/\p{Cc}/u);
  });

  it('says for programs what is missing', () => {
    const torn = describeTrace(buildTree(traceOf({ id: 'a', parent: 'gone' })));
    expect(torn).to.deep.include({ complete: false, missing: ['the parent span gone'] });
  });

  it('is for programs a list of spans, parents first, with what people see', () => {
    const { spans, ...rest } = describeTrace(buildTree(traceOf(...declined)));
    expect(rest).to.deep.include({
      traceId: TRACE_ID,
      complete: true,
      missing: [],
      startUs: EPOCH_US,
      durationUs: 20_000,
      linkedTraces: [FAR],
      warnings: [],
      errors: [
        {
          spanId: 'd',
          service: 'payment',
          operation: 'shop.payment.v1.PaymentService/Charge',
          reason: 'CARD_DECLINED',
          sentence: 'the card was declined; use another one',
        },
      ],
    });
    expect(rest.criticalPath[1]).to.deep.equal({
      service: 'order',
      operation: 'saga compensate reserve',
      kind: 'internal',
      us: 5_000,
      share: 0.25,
      count: 1,
    });
    expect(spans.map((span) => JSON.stringify(span, ['spanId', 'parentSpanId', 'reason', 'criticalUs']))).to.deep.equal([
      '{"spanId":"a","parentSpanId":"","reason":"","criticalUs":2000}',
      '{"spanId":"b","parentSpanId":"a","reason":"CARD_DECLINED","criticalUs":2000}',
      '{"spanId":"c","parentSpanId":"b","reason":"CARD_DECLINED","criticalUs":2000}',
      '{"spanId":"d","parentSpanId":"c","reason":"CARD_DECLINED","criticalUs":4000}',
      '{"spanId":"e","parentSpanId":"a","reason":"","criticalUs":5000}',
    ]);
    expect(spans[4]).to.deep.include({ service: 'order', kind: 'internal', links: [{ traceId: FAR, spanId: 'x' }] });
  });
});
