import { type JsonValue, toJson } from '@bufbuild/protobuf';

import { systemClock } from '#kit';
import { type Order, OrderSchema } from '#proto/shop/order/v1/order_pb.js';
import { isWhole, renderTrace, type TraceTree, waitForTrace, walk } from '#tracing';

import { createCaller } from '../calling/caller.ts';
import type { Output } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { DEMO_USER, placeSampleOrder, seedDemo } from './demo.ts';

/** How long to wait for the last span of the sample order to be readable. */
const TRACE_MS = 10_000;

/** What a visitor sees first: demo data, one order, its trace, and how to go on. Returns when all is printed. */
export async function welcome(settings: Resolved, output: Output): Promise<void> {
  const caller = await createCaller(settings);
  try {
    output.note((await seedDemo(caller)) ? 'wrote the demo data' : 'the demo data are there already');
    const { order, traceId } = await placeSampleOrder(caller);
    await caller.tracing.flush();
    const jaegerUrl = settings.values.MESH_JAEGER_URL;
    const tree = jaegerUrl ? await readTrace(jaegerUrl, traceId) : undefined;
    output.answer(() => forPeople(order, traceId, tree, jaegerUrl), { order: order && toJson(OrderSchema, order), traceId, jaegerUrl });
  } finally {
    await caller.stop();
  }
}

/** The trace once it is complete; undefined when that takes too long. */
async function readTrace(jaegerUrl: string, traceId: string): Promise<TraceTree | undefined> {
  try {
    return await waitForTrace(jaegerUrl, traceId, isComplete, { deadlineMs: TRACE_MS, clock: systemClock });
  } catch {
    return undefined;
  }
}

/** Every process sends its spans in its own time: the trace is complete when each call also has the callee's span, which ends after those below it. */
function isComplete(tree: TraceTree): boolean {
  return isWhole(tree) && [...walk(tree.roots)].every(({ kind, attributes, children }) => kind !== 'client' || !('rpc.method' in attributes) || children.length > 0);
}

function forPeople(order: Order | undefined, traceId: string, tree: TraceTree | undefined, jaegerUrl: string): string {
  const json: JsonValue = order ? toJson(OrderSchema, order) : null;
  return [
    '',
    'The sample order:',
    JSON.stringify(json, null, 2),
    '',
    tree ? renderTrace(tree, { width: process.stdout.columns ?? 110 }) : `Its trace ${traceId} cannot be read${jaegerUrl ? ` at ${jaegerUrl}` : ': spans go nowhere'}.`,
    '',
    'Go on:',
    '  grpcurl -plaintext localhost:50056 list',
    '  grpcurl -plaintext localhost:50056 describe shop.order.v1.OrderService.PlaceOrder',
    `  grpcurl -plaintext -d '{"order_id":"${order?.orderId}"}' localhost:50056 shop.order.v1.OrderService/GetOrder`,
    `  npx mesh call order.ListOrders '{"userId":"${DEMO_USER}"}'`,
    '  npx mesh ps',
    ...(jaegerUrl ? [`  ${jaegerUrl}/api/traces/${traceId}   (the trace as JSON; a real Jaeger shows it at ${jaegerUrl}/trace/${traceId})`] : []),
    '',
  ].join('\n');
}
