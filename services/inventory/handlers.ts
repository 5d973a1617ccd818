import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import type { Database } from '#database';
import { refusal } from '#kit';
import { type Handlers, once } from '#mesh';
import { type InventoryService, type ReservationSchema, ReservationState as ProtoState, type StockSchema } from '#proto/shop/inventory/v1/inventory_pb.js';

import {
  requireCommitted,
  requireGivenBack,
  requireReservation,
  requireReserved,
  requireRestocked,
  type Reservation,
  type ReservationState,
  type Stock,
} from './domain.ts';
import type { ReservationWriter } from './reservation-writer.ts';
import { findStock, setStock } from './store.ts';

const STATES: Readonly<Record<ReservationState, ProtoState>> = {
  RESERVED: ProtoState.RESERVED,
  COMMITTED: ProtoState.COMMITTED,
  RELEASED: ProtoState.RELEASED,
  RESTOCKED: ProtoState.RESTOCKED,
  EXPIRED: ProtoState.EXPIRED,
};

export function inventoryHandlers(database: Database, writer: ReservationWriter): Handlers<typeof InventoryService> {
  return {
    async setStock({ productId, available }, call) {
      return database.transaction('inventory.set_stock', (tx) =>
        once(call, tx, async () => ({ stock: stockToProto(await setStock(tx, productId, available)) })),
      );
    },

    async getStock({ productId }) {
      const stock = await findStock(database, productId);
      if (!stock) throw refusal('STOCK_NOT_SET', `the stock of ${productId} was never set; set it first`, { metadata: { product_id: productId } });
      return { stock: stockToProto(stock) };
    },

    async reserve({ orderId, lines: given }) {
      const lines = given.map(({ productId, quantity }) => ({ productId, quantity }));
      return { reservation: reservationToProto(requireReserved(await writer.reserve({ orderId, lines }), orderId, lines)) };
    },

    async commit({ orderId }) {
      const reservation = requireReservation(await writer.commit(orderId), orderId);
      return { reservation: reservationToProto(requireCommitted(reservation)) };
    },

    async release({ orderId }) {
      const reservation = requireReservation(await writer.release(orderId), orderId);
      return { reservation: reservationToProto(requireGivenBack(reservation)) };
    },

    async restock({ orderId }) {
      const reservation = requireReservation(await writer.restock(orderId), orderId);
      return { reservation: reservationToProto(requireRestocked(reservation)) };
    },
  };
}

function stockToProto({ updateTime, ...pieces }: Stock): MessageInitShape<typeof StockSchema> {
  return { ...pieces, updateTime: timestampFromDate(updateTime) };
}

function reservationToProto({ orderId, state, lines, createTime, expireTime }: Reservation): MessageInitShape<typeof ReservationSchema> {
  return {
    orderId,
    state: STATES[state],
    lines: lines.map((line) => ({ ...line })),
    createTime: timestampFromDate(createTime),
    expireTime: timestampFromDate(expireTime),
  };
}
