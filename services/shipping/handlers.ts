import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import { type MeshError, refusal } from '#kit';
import { type Handlers, requireOwnerBy } from '#mesh';
import {
  type ScheduleShipmentRequest,
  type ShipmentSchema,
  ShipmentState as ProtoState,
  type ShippingService,
} from '#proto/shop/shipping/v1/shipping_pb.js';

import type { Consignment, Shipment, ShipmentState } from './domain.ts';
import { cancel, handOver, schedule, shipmentNotFound, shipmentOf, type Shipping } from './scheduling.ts';
import { findShipmentOfOrder } from './store.ts';

const STATES: Readonly<Record<ShipmentState, ProtoState>> = {
  BOOKING: ProtoState.BOOKING,
  SCHEDULED: ProtoState.SCHEDULED,
  HANDED_OVER: ProtoState.HANDED_OVER,
  CANCELLING: ProtoState.CANCELLING,
  CANCELLED: ProtoState.CANCELLED,
  REFUSED: ProtoState.REFUSED,
};

export function shippingHandlers(shipping: Shipping): Handlers<typeof ShippingService> {
  const buyerOf = async (orderId: string): Promise<string | undefined> => (await shipping.orders.getOrder({ orderId })).order?.userId;
  return {
    async scheduleShipment(request, { signal }) {
      return { shipment: toProto(await schedule(shipping, consignmentFromProto(request), signal)) };
    },
    async cancelShipment({ orderId }, { signal }) {
      return { shipment: toProto(await cancel(shipping, orderId, signal)) };
    },
    async handOverShipment({ shipmentId }) {
      return { shipment: toProto(await handOver(shipping, shipmentId)) };
    },
    async getShipment({ shipmentId }, call) {
      const shipment = await shipmentOf(shipping, shipmentId);
      await requireOwnerBy(call, () => buyerOf(shipment.orderId), () => shipmentNotFound(shipmentId));
      return { shipment: toProto(shipment) };
    },
    async listShipments({ orderId }, call) {
      await requireOwnerBy(call, () => buyerOf(orderId), () => orderNotFound(orderId));
      const shipment = await findShipmentOfOrder(shipping.database, orderId);
      return { shipments: shipment ? [toProto(shipment)] : [] };
    },
  };
}

function orderNotFound(orderId: string): MeshError {
  return refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`, { metadata: { order_id: orderId } });
}

function consignmentFromProto({ orderId, address, lines }: ScheduleShipmentRequest): Consignment {
  if (!address) throw refusal('INVALID_ARGUMENT', 'address is missing; say where the goods go');
  const { recipient, street, city, postalCode, countryCode } = address;
  return {
    orderId,
    address: { recipient, street, city, postalCode, countryCode },
    lines: lines.map(({ productId, quantity }) => ({ productId, quantity })),
  };
}

function toProto(shipment: Shipment): MessageInitShape<typeof ShipmentSchema> {
  const { shipmentId, orderId, address } = shipment;
  return {
    shipmentId,
    orderId,
    state: STATES[shipment.state],
    trackingNumber: shipment.trackingNumber ?? '',
    refusal: shipment.refusal ?? '',
    // A shipment called off before it was asked for has no address.
    ...(address && { address }),
    lines: shipment.lines.map(({ productId, quantity }) => ({ productId, quantity })),
    createTime: timestampFromDate(shipment.createTime),
    updateTime: timestampFromDate(shipment.updateTime),
  };
}
