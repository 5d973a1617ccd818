import { expect } from 'chai';

import { systemClock } from '#kit';
import { isComplete, isWhole, type TraceNode, type TraceTree, waitForTrace, walk } from '#tracing';

import { answeredPart } from '../../../cli/local/answered-part.ts';
import { expectShape, span, type SpanShape } from '../../tracing/span-shape.ts';

/** The trace of the sample order up to its answer, once it hangs together and each call in it has the callee's span. */
export async function readOrderTrace(jaegerUrl: string, traceId: string): Promise<TraceTree> {
  const isAnswered = (tree: TraceTree): boolean => isWhole(answeredPart(tree)) && isComplete(answeredPart(tree));
  return answeredPart(await waitForTrace(jaegerUrl, traceId, isAnswered, { deadlineMs: 30_000, clock: systemClock }));
}

/**
 * Asserts that the sample order is one tree without an orphan or an error, and who called whom in it, each once: every
 * service that an order needs. What a service asks of its database, of Stripe or of the carrier is its own matter.
 */
export function expectOrderTrace(tree: TraceTree): void {
  const failed = [...walk(tree.roots)].filter(({ status }) => status === 'error').map(({ service, name }) => `${service}: ${name}`);
  expect(failed, 'failed spans').to.deep.equal([]);
  const isOwnMatter = ({ kind, attributes }: TraceNode): boolean => kind === 'client' && !('rpc.method' in attributes);
  expectShape({ ...tree, roots: inOrder(tree.roots) }, ORDER, { ignore: isOwnMatter });
}

/**
 * Siblings in an order that is the same each time: calls, of which some are made at once, by name; then a saga's steps as
 * they ended. By their start they could tie, since a span's start counts in milliseconds and its end in microseconds.
 */
function inOrder(nodes: readonly TraceNode[]): TraceNode[] {
  const rank = ({ kind }: TraceNode): number => (kind === 'internal' ? 1 : 0);
  const ended = ({ startUs, durationUs }: TraceNode): number => startUs + durationUs;
  return nodes
    .map((node) => ({ ...node, children: inOrder(node.children) }))
    .sort((one, other) => rank(one) - rank(other) || (rank(one) === 0 ? one.name.localeCompare(other.name) : ended(one) - ended(other)));
}

/** A call from one service to another: a span on either side. */
function call(from: string, to: string, method: string, ...below: SpanShape[]): SpanShape {
  return span('client', from, method, span('server', to, method, ...below));
}

const ORDER = span(
  'internal',
  'mesh-cli',
  'sample order',
  call(
    'mesh-cli',
    'order',
    'shop.order.v1.OrderService/PlaceOrder',
    call('order', 'product', 'shop.product.v1.ProductService/BatchGetProducts'),
    call('order', 'user', 'shop.user.v1.UserService/GetUser'),
    span('internal', 'order', 'saga reserve', call('order', 'inventory', 'shop.inventory.v1.InventoryService/Reserve')),
    span('internal', 'order', 'saga charge', call('order', 'payment', 'shop.payment.v1.PaymentService/Charge')),
    span('internal', 'order', 'saga schedule shipment', call('order', 'shipping', 'shop.shipping.v1.ShippingService/ScheduleShipment')),
    span('internal', 'order', 'saga confirm', call('order', 'inventory', 'shop.inventory.v1.InventoryService/Commit')),
  ),
);

/**
 * Every span of a trace as indented text: service, name, kind. Siblings are sorted by name:
 * statements sent together may begin in any order.
 */
export function outline(nodes: readonly TraceNode[], indent = ''): string {
  const lines = nodes.map((node) => `${indent}${node.service}: ${node.name} [${node.kind}]\n${outline(node.children, `${indent}  `)}`);
  return lines.sort().join('');
}
