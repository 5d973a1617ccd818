import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import { fromProtoMoney, refusal, toProtoMoney } from '#kit';
import {
  type OrderSchema,
  OrderState as ProtoState,
  type PlaceOrderRequest,
  type WatchOrderResponseSchema,
} from '#proto/shop/order/v1/order_pb.js';

import type { Order, OrderChange, OrderLine, OrderState } from './domain.ts';
import type { NewOrder } from './placing.ts';

const STATES: Readonly<Record<OrderState, ProtoState>> = {
  PENDING: ProtoState.PENDING,
  CONFIRMED: ProtoState.CONFIRMED,
  FAILED: ProtoState.FAILED,
  CANCELLED: ProtoState.CANCELLED,
};

/** Reads what a caller wants to buy. Validation has seen it; what it cannot see, such as decimals of a currency, is refused here. */
export function newOrderFromProto({ userId, lines, paymentMethod, shippingAddress }: PlaceOrderRequest): NewOrder {
  if (!shippingAddress) throw refusal('INVALID_ARGUMENT', 'shipping_address is missing; say where the goods go');
  const { recipient, street, city, postalCode, countryCode } = shippingAddress;
  return { userId, paymentMethod, lines: lines.map(lineFromProto), shippingAddress: { recipient, street, city, postalCode, countryCode } };
}

export function orderToProto(order: Order): MessageInitShape<typeof OrderSchema> {
  return {
    orderId: order.orderId,
    userId: order.userId,
    state: STATES[order.state],
    reason: order.reason,
    lines: order.lines.map(({ productId, quantity, unitPrice }) => ({ productId, quantity, unitPrice: toProtoMoney(unitPrice) })),
    total: toProtoMoney(order.total),
    paymentMethod: order.paymentMethod,
    shippingAddress: { ...order.shippingAddress },
    createTime: timestampFromDate(order.createTime),
    updateTime: timestampFromDate(order.updateTime),
  };
}

export function changeToProto({ sequence, state, reason, time }: OrderChange): MessageInitShape<typeof WatchOrderResponseSchema> {
  return { sequence, state: STATES[state], reason, time: timestampFromDate(time) };
}

function lineFromProto({ productId, quantity, unitPrice }: PlaceOrderRequest['lines'][number]): OrderLine {
  if (!unitPrice) throw refusal('INVALID_ARGUMENT', `the price of ${productId} is missing`);
  return { productId, quantity, unitPrice: fromProtoMoney(unitPrice) };
}
