import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { newEvent, on, onTogether } from '#events';
import { newId, refusal, systemClock, systemRandom } from '#kit';
import { OrderCancelledSchema, OrderFailedSchema } from '#proto/shop/order/v1/order_events_pb.js';
import { currentTraceparent } from '#tracing';

import { until } from '../database/until.ts';
import { createTelemetry, useTracePropagation } from '../mesh/support/telemetry.ts';
import { type EventBench, numbered, startEventBench } from './event-bench.ts';
import { createHandBus } from './hand-bus.ts';
import { createHold } from './hold.ts';

describe('the trace of an event', () => {
  useTracePropagation();
  const telemetry = createTelemetry();
  const tracer = telemetry.tracer('shop');
  let bench: EventBench;
  before(async function () {
    this.timeout(20_000);
    bench = await startEventBench();
  });
  beforeEach(() => telemetry.reset());
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  it('goes on from whoever wrote it, through relay and bus, into the consumer and its transaction', async () => {
    const database = bench.open({ tracer });
    bench.relayOf({ tracer }).start();
    bench.consumerOf({ tracer, database }).start();
    const writer = tracer.startSpan('writer');
    await context.with(trace.setSpan(context.active(), writer), async () => {
      const head = { id: newId(systemClock, systemRandom), source: 'shop', subject: 'a', time: new Date() };
      await bench.append([newEvent(OrderFailedSchema, { orderId: 'a', reason: '1' }, head)]);
    });
    writer.end();
    const named = (name: string) => telemetry.spans().find((span) => span.name === name);
    await until('the consumer is through', () => named('consume shop.order.v1.OrderFailed') !== undefined);
    const { traceId, spanId } = writer.spanContext();
    const publish = named('publish shop.order.v1.OrderFailed');
    const consume = named('consume shop.order.v1.OrderFailed');
    expect(publish).to.deep.include({ kind: SpanKind.PRODUCER });
    expect(consume).to.deep.include({ kind: SpanKind.CONSUMER });
    for (const span of [publish, consume]) {
      expect(span?.spanContext().traceId).to.equal(traceId);
      expect(span?.parentSpanContext?.spanId).to.equal(spanId);
      expect(span?.attributes).to.include({ 'messaging.destination.name': 'shop.order.v1' });
    }
    expect(consume?.attributes).to.include({ 'messaging.consumer.group.name': 'effects', 'shopmesh.event.subject': 'a', 'shopmesh.event.attempt': 1 });
    const commit = named('event.consume.commit');
    expect(commit?.parentSpanContext?.spanId).to.equal(consume?.spanContext().spanId);
  });

  it('has a span for each try, with the reason of those that failed', async () => {
    let tries = 0;
    const flaky = on(OrderFailedSchema, async () => {
      tries += 1;
      if (tries === 1) throw refusal('USER_NOT_FOUND', 'nobody has this id');
    });
    const bus = createHandBus();
    bench.consumerOf({ bus, tracer, handlers: [flaky] }).start();
    await bus.deliver(numbered('a', 1));
    const spans = telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER);
    expect(spans.map(({ attributes }) => attributes['shopmesh.event.attempt'])).to.deep.equal([1, 2]);
    expect(spans.map(({ status }) => status.code)).to.deep.equal([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
    expect(spans[0]?.attributes).to.include({ 'mesh.error.reason': 'USER_NOT_FOUND' });
  });

  it('goes on through a transaction that it shares with others, until the effect is committed', async () => {
    const hold = createHold();
    const made: (string | undefined)[] = [];
    const handled: (string | undefined)[] = [];
    const together = onTogether(OrderCancelledSchema, () => void made.push(currentTraceparent()), hold.pass);
    const alone = on(OrderFailedSchema, async () => void handled.push(currentTraceparent()));
    const bus = createHandBus();
    bench.consumerOf({ bus, tracer, database: bench.open({ tracer }), handlers: [together, alone] }).start();
    const failed = [1, 2].map((digit) => ({ ...numbered('a', digit), traceparent: traceparentOf(digit) }));
    const cancelled = [3, 4].map((digit) => ({ ...numbered('a', digit), traceparent: traceparentOf(digit), type: OrderCancelledSchema.typeName }));
    const all = Promise.all([...failed, ...cancelled].map((event) => bus.deliver(event)));
    await until('the last writer is at work', hold.isReached);
    expect(telemetry.spans().filter(({ kind }) => kind === SpanKind.CONSUMER)).to.deep.equal([]);
    hold.open();
    await all;
    const tracesOf = (seen: readonly (string | undefined)[]) => seen.map((traceparent) => traceparent?.split('-')[1]);
    expect([tracesOf(handled), tracesOf(made)]).to.deep.equal([[1, 2].map(traceIdOf), [3, 4].map(traceIdOf)]);
    const written = telemetry.spans().filter(({ name }) => name === 'event.consume');
    expect(written.map((span) => span.spanContext().traceId)).to.have.members([1, 2, 3, 4].map(traceIdOf));
    expect(written.map(({ attributes }) => attributes['db.operation.batch.size'])).to.deep.equal([4, 4, 4, 4]);
  });
});

const traceIdOf = (digit: number): string => String(digit).repeat(32);

function traceparentOf(digit: number): string {
  return `00-${traceIdOf(digit)}-b7ad6b7169203331-01`;
}
