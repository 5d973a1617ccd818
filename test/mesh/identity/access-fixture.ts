import { MeshError, refusal, systemClock } from '#kit';
import { type Client, createAuthorization, type Handlers, type MeshOptions, requireOwnerBy } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';

import { createIdentification } from '../../../mesh/identity/identification.ts';
import { captureLog, type LogLine } from '../../tracing/captured-log.ts';
import { createFleet, type Fleet, type FleetOptions, type Transport } from '../support/fleet.ts';
import type { People } from './people.ts';

/** Whose orders are. */
const OWNERS: Readonly<Record<string, string>> = { 'order-of-ada': 'ada', 'order-of-bo': 'bo' };

/** A shop in small, whose methods have rules of every kind, and what reached its handlers. */
export interface GuardedShop {
  readonly orders: Client<typeof OrderService>;
  readonly payments: Client<typeof PaymentService>;
  readonly products: Client<typeof ProductService>;
  /** A stub of the order service's own. */
  readonly paymentsOfOrder: Client<typeof PaymentService>;
  /** What handlers did, in its order, such as `cancel order-of-ada`. */
  readonly done: string[];
  /** By method, the header `authorization` as its handler saw it last. */
  readonly seen: Map<string, string | undefined>;
  readonly audit: readonly LogLine[];
  readonly fleet: Fleet;
  stop(): Promise<void>;
}

export interface GuardedShopOptions {
  readonly people: People;
  readonly transport: Transport;
  /** False: it is read who calls, and everybody may. Default: true. */
  readonly enforce?: boolean;
  /** The handlers of methods for owners do not ask whose it is. */
  readonly withoutAsking?: boolean;
}

export async function startGuardedShop({ people, transport, enforce = true, withoutAsking = false }: GuardedShopOptions): Promise<GuardedShop> {
  const { log, lines } = captureLog('warn');
  const authorization = createAuthorization({ verify: people.verify, clock: systemClock, log });
  const identification = createIdentification({ verify: people.verify, clock: systemClock });
  const guarded: FleetOptions & Pick<MeshOptions, 'guards' | 'outgoing'> = {
    guards: (method) => [(enforce ? authorization : identification).link(method)],
    outgoing: [authorization.forward],
  };
  const fleet = createFleet(transport, guarded);
  const done: string[] = [];
  const seen = new Map<string, string | undefined>();
  let paymentsOfOrder: Client<typeof PaymentService> | undefined;

  await fleet.host(OrderService, (stubs) => {
    paymentsOfOrder = stubs(PaymentService);
    return orderHandlers(done, seen, withoutAsking);
  });
  await fleet.host(PaymentService, (stubs) => {
    const orders = stubs(OrderService);
    return {
      charge: async ({ orderId }, call) => {
        seen.set('charge', call.header('authorization'));
        done.push(`charge ${orderId}`);
        return { payment: { orderId } };
      },
      refundPart: async ({ orderId }) => ({ payment: { orderId } }),
      async getPayment({ orderId }, call) {
        await requireOwnerBy(call, async () => (await orders.getOrder({ orderId })).order?.userId, () => refusal('PAYMENT_NOT_FOUND', `order ${orderId} has no payment`));
        return { payment: { orderId } };
      },
    };
  });
  await fleet.host(ProductService, () => ({ getProduct: async ({ productId }) => ({ product: { productId } }) }));
  if (!paymentsOfOrder) throw new MeshError('INTERNAL', 'INTERNAL', 'the fleet made no stub');
  return {
    ...{ orders: fleet.client(OrderService), payments: fleet.client(PaymentService), products: fleet.client(ProductService), paymentsOfOrder },
    ...{ done, seen, audit: lines, fleet },
    async stop() {
      await fleet.stop();
      await authorization.stop();
      await identification.stop();
    },
  };
}

function orderHandlers(done: string[], seen: Map<string, string | undefined>, withoutAsking: boolean): Partial<Handlers<typeof OrderService>> {
  const notFound = (orderId: string): MeshError => refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`, { metadata: { order_id: orderId } });
  const orderOf = (orderId: string): { orderId: string; userId: string } => {
    const userId = OWNERS[orderId];
    if (!userId) throw notFound(orderId);
    return { orderId, userId };
  };
  const ask: Handlers<typeof OrderService>['cancelOrder'] = async ({ orderId }, { ownership }) => {
    const order = orderOf(orderId);
    if (!withoutAsking) ownership?.require(order.userId, () => notFound(orderId));
    return { order };
  };
  return {
    async getOrder({ orderId }, call) {
      seen.set('getOrder', call.header('authorization'));
      return { order: orderOf(orderId) };
    },
    async listOrders({ userId }) {
      done.push(`list of ${userId}`);
      return {};
    },
    async cancelOrder(request, call) {
      const answer = await ask(request, call);
      done.push(`cancel ${request.orderId}`);
      return answer;
    },
    async *watchOrder({ orderId }, call) {
      const order = orderOf(orderId);
      if (!withoutAsking) call.ownership?.require(order.userId, () => notFound(orderId));
      yield { sequence: 1n };
      yield { sequence: 2n };
    },
  };
}
