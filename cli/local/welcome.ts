import { type JsonValue, toJson } from '@bufbuild/protobuf';

import { systemClock } from '#kit';
import type { ModuleName } from '#modules';
import { type Order, OrderSchema } from '#proto/shop/order/v1/order_pb.js';
import { isComplete, renderTrace, type TraceTree, waitForTrace } from '#tracing';

import { createCaller } from '../calling/caller.ts';
import type { Output } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { answeredPart } from './answered-part.ts';
import { DEMO_USER, placeSampleOrder, seedDemo } from './demo.ts';
import type { Supervisor } from './supervisor.ts';

const SEEDED = {
  written: 'wrote the demo data',
  restocked: 'the demo data are there already; filled up what had been sold out',
  there: 'the demo data are there already',
} as const;

/** Where there is no terminal to ask. */
const PLAIN_WIDTH = 110;

/** How long to wait for the last span of the sample order to be readable. */
const TRACE_MS = 20_000;

/** What a visitor sees first: demo data, one order, its trace, and how to go on. Returns when all is printed, and prints nothing once it was told to stop. */
export async function welcome(supervisor: Supervisor, settings: Resolved, output: Output, signal: AbortSignal): Promise<void> {
  const caller = await createCaller(settings);
  try {
    output.note(SEEDED[await seedDemo(caller)]);
    const { order, traceId } = await placeSampleOrder(caller);
    await caller.tracing.flush();
    const jaegerUrl = settings.values.MESH_JAEGER_URL;
    const tree = jaegerUrl ? await readTrace(jaegerUrl, traceId, signal) : undefined;
    if (signal.aborted) return;
    const isStandIn = 'OTEL_EXPORTER_OTLP_ENDPOINT' in supervisor.environment;
    const sight = { order, traceId, tree, jaegerUrl, isStandIn, address: addressOf('order', supervisor), width: output.width ?? PLAIN_WIDTH };
    output.answer(() => forPeople(sight), { order: order && toJson(OrderSchema, order), traceId, jaegerUrl });
  } finally {
    await caller.stop();
  }
}

/** The trace up to the answer, once that is complete; undefined when it takes too long. */
async function readTrace(jaegerUrl: string, traceId: string, signal: AbortSignal): Promise<TraceTree | undefined> {
  try {
    const isAnswered = (tree: TraceTree): boolean => isComplete(answeredPart(tree));
    return answeredPart(await waitForTrace(jaegerUrl, traceId, isAnswered, { deadlineMs: TRACE_MS, clock: systemClock, signal }));
  } catch {
    return undefined;
  }
}

/** Where people reach a service, as grpcurl takes it. */
function addressOf(service: ModuleName, { services }: Supervisor): string {
  const found = services.find(({ name }) => name === service);
  // Every module is among a supervisor's services.
  const { address = '', port = 0 } = found ?? {};
  if (address === '127.0.0.1') return `localhost:${port}`;
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

interface Sight {
  readonly order: Order | undefined;
  readonly traceId: string;
  readonly tree: TraceTree | undefined;
  readonly jaegerUrl: string;
  /** The stand-in has Jaeger's API, but no pages. */
  readonly isStandIn: boolean;
  /** Of the order service. */
  readonly address: string;
  readonly width: number;
}

function forPeople({ order, traceId, tree, jaegerUrl, isStandIn, address, width }: Sight): string {
  const json: JsonValue = order ? toJson(OrderSchema, order) : null;
  const unreadable = `Its trace ${traceId} cannot be read${jaegerUrl ? ` at ${jaegerUrl}: check where spans go (OTEL_EXPORTER_OTLP_ENDPOINT) and where they are read (MESH_JAEGER_URL)` : ': spans go nowhere'}.`;
  return [
    '',
    'The sample order:',
    JSON.stringify(json, null, 2),
    '',
    tree ? renderTrace(tree, { width }) : unreadable,
    '',
    'Go on:',
    `  npx mesh call order.ListOrders '{"userId":"${DEMO_USER}"}'`,
    `  npx mesh trace --order ${order?.orderId}   (all of it, with what its events lead to)`,
    `  npx mesh events list --subject ${order?.orderId}`,
    '  npx mesh ps',
    '  npx mesh logs order',
    '  npx mesh doctor books',
    ...(jaegerUrl ? [isStandIn ? `  ${jaegerUrl}/api/traces/${traceId}   (the trace as JSON)` : `  ${jaegerUrl}/trace/${traceId}   (the trace in Jaeger)`] : []),
    'With grpcurl, if you have it:',
    `  grpcurl -plaintext ${address} list`,
    `  grpcurl -plaintext ${address} describe shop.order.v1.OrderService.PlaceOrder`,
    `  grpcurl -plaintext -d '{"order_id":"${order?.orderId}"}' ${address} shop.order.v1.OrderService/GetOrder`,
    '',
  ].join('\n');
}
