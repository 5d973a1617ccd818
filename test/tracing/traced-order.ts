import { SpanKind, TraceFlags } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, systemClock } from '#kit';
import {
  currentTraceparent,
  extractContext,
  isWhole,
  type LinkedSpan,
  type Tracing,
  waitForTrace,
  walk,
  withSpan,
} from '#tracing';

import { expectShape, failedSpan, span } from './span-shape.ts';

/** More than one of any exporter's batches of a hundred. */
const STEPS = 150;
const EARLIER: LinkedSpan = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const SENTENCE = 'the card was declined; use another one';

/** An order of two services that share this process: a link, a call from one to the other, a failure. Gives its trace id. */
export async function traceOrder(tracing: Tracing): Promise<string> {
  const order = tracing.tracer({ service: 'order', version: '1.0.0', instanceId: 'order-1' });
  const payment = tracing.tracer({ service: 'payment', version: '2.0.0', instanceId: 'payment-7' });
  const links = [{ context: { ...EARLIER, traceFlags: TraceFlags.SAMPLED } }];

  let traceparent: string | undefined;
  const attributes = { 'server.port': 50054, cached: false };
  const traceId = await withSpan(order, 'PlaceOrder', { kind: SpanKind.SERVER, links }, async (placed) => {
    await withSpan(order, 'Charge', { kind: SpanKind.CLIENT, attributes }, () => (traceparent = currentTraceparent()));
    return placed.spanContext().traceId;
  });
  await withSpan(payment, 'Charge', { kind: SpanKind.SERVER, parent: extractContext({ traceparent }) }, async () => {
    for (let step = 0; step < STEPS; step += 1) await withSpan(payment, 'step', {}, () => undefined);
    throw refusal('CARD_DECLINED', SENTENCE);
  }).catch(() => undefined);
  return traceId;
}

/** Asserts that a query API has the trace of {@link traceOrder}, whole, each span in the service it belongs to. */
export async function expectOrder(queryUrl: string, traceId: string): Promise<void> {
  const isComplete = ({ spanCount }: { readonly spanCount: number }): boolean => spanCount === STEPS + 3;
  const tree = await waitForTrace(queryUrl, traceId, isComplete, { deadlineMs: 8_000, clock: systemClock });
  expect(isWhole(tree)).to.equal(true);
  const charge = span('client', 'order', 'Charge', failedSpan('server', 'payment', 'Charge'));
  expectShape(tree, span('server', 'order', 'PlaceOrder', charge), { ignore: ({ name }) => name === 'step' });

  const [placed, called, charged] = [...walk(tree.roots)];
  expect(placed?.links).to.deep.equal([EARLIER]);
  expect(placed?.resource).to.include({ 'service.version': '1.0.0', 'service.instance.id': 'order-1' });
  expect(called?.attributes).to.include({ 'server.port': 50054, cached: false });
  expect(charged).to.include({ status: 'error', statusMessage: SENTENCE });
  expect(charged?.attributes).to.include({ 'error.type': 'FAILED_PRECONDITION', 'mesh.error.reason': 'CARD_DECLINED' });
  expect(charged?.resource).to.include({ 'service.version': '2.0.0', 'service.instance.id': 'payment-7' });
}
