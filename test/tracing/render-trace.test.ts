import { expect } from 'chai';

import { renderTrace } from '#tracing';

import { buildTree } from '../../tracing/trace-tree.ts';
import { type SpanDraft, TRACE_ID, traceOf } from './trace-json.ts';

const order: readonly SpanDraft[] = [
  { id: 'a', name: 'shop.order.v1.OrderService/PlaceOrder', durationUs: 43_100, tags: { 'span.kind': 'server' } },
  {
    id: 'b',
    parent: 'a',
    name: 'shop.user.v1.UserService/GetUser',
    startUs: 1_200,
    durationUs: 3_400,
    tags: { 'span.kind': 'client' },
  },
  {
    id: 'c',
    parent: 'b',
    service: 'user',
    name: 'shop.user.v1.UserService/GetUser',
    startUs: 2_000,
    durationUs: 1_900,
    tags: { 'span.kind': 'server' },
  },
  {
    id: 'd',
    parent: 'c',
    service: 'user',
    name: 'SELECT user.users',
    startUs: 2_500,
    durationUs: 420,
    tags: { 'span.kind': 'client' },
  },
  { id: 'e', parent: 'a', name: 'saga step charge', startUs: 10_000, durationUs: 30_000 },
  {
    id: 'f',
    parent: 'e',
    service: 'payment',
    name: 'shop.payment.v1.PaymentService/Charge',
    startUs: 12_000,
    durationUs: 20_000,
    tags: {
      'span.kind': 'server',
      error: true,
      'otel.status_description': 'the card was declined; use another one',
      'mesh.error.reason': 'CARD_DECLINED',
    },
  },
];

const render = (drafts: readonly SpanDraft[], width = 100): string[] =>
  renderTrace(buildTree(traceOf(...drafts)), { width }).split('\n');

describe('rendering a trace', () => {
  it('shows who called whom, when, for how long, what of it the critical path is, and what failed', () => {
    expect(render(order)).to.deep.equal([
      `trace ${TRACE_ID}: 6 spans, 3 services, 43.1 ms, 1 error`,
      '',
      'service  span                                        start      took  critical',
      'order    OrderService/PlaceOrder                      0 ms   43.1 ms    9.7 ms  ━─━━━──────────────━',
      'order    ├─ → UserService/GetUser                   1.2 ms    3.4 ms    1.5 ms  ──',
      'user     │  └─ UserService/GetUser                  2.0 ms    1.9 ms    1.5 ms  ─━',
      'user     │     └─ → SELECT user.users               2.5 ms   0.42 ms   0.42 ms   ─',
      'order    └─ saga step charge                       10.0 ms   30.0 ms   10.0 ms      ─━─────────━━━━',
      'payment     └─ ✗ PaymentService/Charge             12.0 ms   20.0 ms   20.0 ms       ─━━━━━━━━━',
      '                 CARD_DECLINED: the card was declined; use another one',
    ]);
  });

  it('stays within its width, however deep the trace and long the names', () => {
    const deep = Array.from({ length: 60 }, (_, index) => ({
      id: `s${index}`,
      service: 'a-service-with-a-very-long-name',
      name: `package.v1.LongServiceName${index}/AMethodWithALongNameAsWell`,
      startUs: index,
      durationUs: 100 - index,
      ...(index > 0 && { parent: `s${index - 1}` }),
      tags: { error: true, 'otel.status_description': 'a sentence that goes on '.repeat(10) },
    }));
    for (const width of [60, 80, 100, 160]) {
      const lines = render(deep, width);
      expect(lines).to.have.length(3 + 2 * 60);
      expect(Math.max(...lines.map((line) => line.length))).to.be.at.most(width);
    }
  });

  it('leaves the column of the critical path empty for a span beside it, and its bar light', () => {
    const lines = render([
      { id: 'root', durationUs: 100_000 },
      { id: 'beside', parent: 'root', startUs: 10_000, durationUs: 40_000 },
      { id: 'slow', parent: 'root', startUs: 10_000, durationUs: 85_000 },
    ]);
    expect(lines.slice(3)).to.deep.equal([
      'order    root                                         0 ms  100.0 ms   15.0 ms  ━━─────────────────━',
      'order    ├─ slow                                   10.0 ms   85.0 ms   85.0 ms    ━━━━━━━━━━━━━━━━━',
      'order    └─ beside                                 10.0 ms   40.0 ms              ────────',
    ]);
  });

  it('says what an orphan misses and what a span continues', () => {
    const lines = render([
      { id: 'root' },
      { id: 'lost', parent: 'gone', startUs: 2 },
      {
        id: 'next',
        parent: 'root',
        startUs: 1,
        links: [
          { traceId: TRACE_ID, spanId: 'earlier' },
          { traceId: 'other', spanId: 'far' },
        ],
      },
    ]);
    const text = lines.join('\n');
    expect(text).to.match(/^order {4}\? lost/m);
    expect(text).to.match(/its parent gone is not in the trace$/m);
    expect(text).to.match(/continues span earlier$/m);
    expect(text).to.match(/continues span far of trace other$/m);
  });

  it('shows no control character that a span brings', () => {
    const text = render([{ id: 'a', service: '\u001b[31mred', name: 'clear\u001b[2J\nscreen\u202e' }]).join('\n');
    expect(text).to.contain('clear·[2J·screen·');
    expect(text.replaceAll('\n', '')).to.not.match(/[\p{Cc}\p{Cf}]/u);
  });

  it('shows a trace of nothing, and the warnings of the backend', () => {
    expect(renderTrace({ traceId: TRACE_ID, roots: [], spanCount: 0, warnings: ['3 spans were dropped'] })).to.equal(
      `trace ${TRACE_ID}: 0 spans, 0 services, 0 ms\n\n! 3 spans were dropped`,
    );
  });
});
