import { type JsonValue, toJson } from '@bufbuild/protobuf';

import { systemClock } from '#kit';
import { DEMO_ACCOUNTS, DEMO_BUYER, type ModuleName } from '#modules';
import { type Order, OrderSchema } from '#proto/shop/order/v1/order_pb.js';
import { isComplete, renderTrace, type TraceTree, waitForTrace } from '#tracing';

import { createCaller } from '../calling/caller.ts';
import { signInAs } from '../calling/sign-in.ts';
import { type Output, table } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { answeredPart } from './answered-part.ts';
import { placeSampleOrder, seedDemo } from './demo.ts';
import type { Supervisor } from './supervisor.ts';

const SEEDED = {
  written: 'wrote the demo data',
  restocked: 'the demo data are there already; filled up what had been sold out',
  there: 'the demo data are there already',
} as const;

const NO_ACCOUNTS = 'There are no demo accounts (MESH_DEMO_ACCOUNTS) in a database of your own, or where MESH_ADVERTISE is not loopback, and so no sample order';

/** Where there is no terminal to ask. */
const PLAIN_WIDTH = 110;

/** How long to wait for the last span of the sample order to be readable. */
const TRACE_MS = 20_000;

/** What a visitor sees first: demo data, who can sign in, one order, its trace, and how to go on. Where nobody can sign in, nobody orders. Returns when all is printed, and prints nothing once it was told to stop. */
export async function welcome(supervisor: Supervisor, settings: Resolved, output: Output, signal: AbortSignal): Promise<void> {
  const caller = await createCaller(settings);
  try {
    const { MESH_DEMO_ACCOUNTS: canSignIn, MESH_JAEGER_URL: jaegerUrl } = settings.values;
    const [seeded, buyer] = await Promise.all([seedDemo(caller), canSignIn ? signInAs({ ...DEMO_BUYER, isDemo: true }, caller, signal) : undefined]);
    output.note(SEEDED[seeded]);
    if (!buyer) return output.answer(() => NO_ACCOUNTS, { order: null, jaegerUrl });
    const { order, traceId } = await placeSampleOrder(caller, buyer);
    await caller.tracing.flush();
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

/** The explorer's port of a service, as grpcurl takes it; undefined where there is none. */
function addressOf(service: ModuleName, { services }: Supervisor): string | undefined {
  const found = services.find(({ name }) => name === service);
  if (!found || found.port === found.mtlsPort) return undefined;
  const { address, port } = found;
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
  /** Where the order service takes plaintext. */
  readonly address: string | undefined;
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
    'Demo accounts, which are on this machine only:',
    ...demoAccounts(),
    '',
    'Go on:',
    `  npx mesh call --as ${DEMO_BUYER.userId} order.ListOrders '{"userId":"${DEMO_BUYER.userId}"}'`,
    `  npx mesh trace --order ${order?.orderId}   (all of it, with what its events lead to)`,
    `  npx mesh events list --subject ${order?.orderId}`,
    '  npx mesh ps',
    '  npx mesh logs order',
    '  npx mesh doctor books',
    ...(jaegerUrl ? [isStandIn ? `  ${jaegerUrl}/api/traces/${traceId}   (the trace as JSON)` : `  ${jaegerUrl}/trace/${traceId}   (the trace in Jaeger)`] : []),
    'With grpcurl, if you have it:',
    ...(address === undefined ? ['  npx mesh cert   (writes a certificate for it, and says how)'] : grpcurlLines(address, order)),
    '',
  ].join('\n');
}

function demoAccounts(): string[] {
  const rows = DEMO_ACCOUNTS.map(({ userId, email, password, roles }) => [`  ${userId}`, email, `password ${password}`, `role ${roles.join(', ')}`]);
  return [table(rows)];
}

function grpcurlLines(address: string, order: Order | undefined): string[] {
  return [
    `  grpcurl -plaintext ${address} list`,
    `  grpcurl -plaintext ${address} describe shop.order.v1.OrderService.PlaceOrder`,
    `  export TOKEN=$(npx mesh token --as ${DEMO_BUYER.userId})`,
    // The token is put in by grpcurl: in a command line everybody on the machine would see it.
    `  grpcurl -plaintext -expand-headers -H 'authorization: Bearer \${TOKEN}' -d '{"order_id":"${order?.orderId}"}' ${address} shop.order.v1.OrderService/GetOrder`,
  ];
}
