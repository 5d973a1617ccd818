import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import { fromProtoMoney, refusal, toProtoMoney } from '#kit';
import {
  type OrderSchema,
  OrderState as ProtoState,
  type PlaceOrderRequest,
  type WatchOrderResponseSchema,
} from '#proto/shop/order/v1/order_pb.js';

import type { Order, OrderChange, OrderState } from './domain.ts';
import type { Wanted } from './offering.ts';

const STATES: Readonly<Record<OrderState, ProtoState>> = {
  PENDING: ProtoState.PENDING,
  CONFIRMED: ProtoState.CONFIRMED,
  FAILED: ProtoState.FAILED,
  CANCELLING: ProtoState.CANCELLING,
  CANCELLED: ProtoState.CANCELLED,
};

/** Reads what a caller wants to buy. Validation has seen it; what it cannot see, such as decimals of a currency, is refused here. */
export function wantedFromProto({ userId, lines, paymentMethod, shippingAddress }: PlaceOrderRequest): Wanted {
  if (!shippingAddress) throw refusal('INVALID_ARGUMENT', 'shipping_address is missing; say where the goods go');
  const { recipient, street, city, postalCode, countryCode } = shippingAddress;
  return {
    userId,
    paymentMethod,
    shippingAddress: { recipient, street, city, postalCode, countryCode },
    lines: lines.map(({ productId, quantity, unitPrice }) => ({ productId, quantity, seenPrice: unitPrice && fromProtoMoney(unitPrice) })),
  };
}

export function orderToProto(order: Order): MessageInitShape<typeof OrderSchema> {
  return {
    orderId: order.orderId,
    userId: order.userId,
    state: STATES[order.state],
    reason: order.reason,
    lines: order.lines.map(({ productId, name, quantity, unitPrice }) => ({ productId, name, quantity, unitPrice: toProtoMoney(unitPrice) })),
    total: toProtoMoney(order.total),
    paymentMethod: order.paymentMethod,
    shippingAddress: { ...order.shippingAddress },
    trackingNumber: order.trackingNumber,
    createTime: timestampFromDate(order.createTime),
    updateTime: timestampFromDate(order.updateTime),
  };
}

export function changeToProto({ sequence, state, reason, time }: OrderChange): MessageInitShape<typeof WatchOrderResponseSchema> {
  return { sequence, state: STATES[state], reason, time: timestampFromDate(time) };
}
