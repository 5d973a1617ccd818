import { systemClock } from '#kit';
import { type TraceNode, type TraceTree, waitForTrace, walk } from '#tracing';

import { expectShape, span, type SpanShape } from '../../tracing/span-shape.ts';

/** The trace of the sample order, once each call in it has the callee's span. */
export function readOrderTrace(jaegerUrl: string, traceId: string): Promise<TraceTree> {
  return waitForTrace(jaegerUrl, traceId, isComplete, { deadlineMs: 30_000, clock: systemClock });
}

function isComplete({ roots }: TraceTree): boolean {
  const nodes = [...walk(roots)];
  const isAnswered = ({ kind, attributes, children }: TraceNode): boolean => kind !== 'client' || !('rpc.method' in attributes) || children.length > 0;
  return roots.length === 1 && roots[0]?.missingParent === '' && nodes.every(isAnswered);
}

/** Asserts who called whom for the sample order; what a service asks of its database or of Stripe is its own matter. */
export function expectOrderTrace(tree: TraceTree): void {
  const isOwnMatter = ({ kind, attributes }: TraceNode): boolean => kind === 'client' && !('rpc.method' in attributes);
  expectShape(tree, ORDER, { ignore: isOwnMatter });
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
    call('order', 'user', 'shop.user.v1.UserService/GetUser'),
    span('internal', 'order', 'saga reserve', call('order', 'inventory', 'shop.inventory.v1.InventoryService/Reserve')),
    span('internal', 'order', 'saga charge', call('order', 'payment', 'shop.payment.v1.PaymentService/Charge')),
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
