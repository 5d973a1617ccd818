import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import type { Database } from '#database';
import { refusal } from '#kit';
import { type Handlers, once } from '#mesh';
import { type InventoryService, type ReservationSchema, ReservationState as ProtoState, type StockSchema } from '#proto/shop/inventory/v1/inventory_pb.js';

import {
  requireAllTaken,
  requireCommitted,
  requireGivenBack,
  requireReservation,
  requireRestocked,
  requireSameReservation,
  type Reservation,
  type ReservationState,
  type Stock,
} from './domain.ts';
import { findReservation, findStock, openReservation, setStock, takeStock } from './store.ts';
import { commitReservation, releaseReservation, restockReservation } from './transition.ts';

const STATES: Readonly<Record<ReservationState, ProtoState>> = {
  RESERVED: ProtoState.RESERVED,
  COMMITTED: ProtoState.COMMITTED,
  RELEASED: ProtoState.RELEASED,
  RESTOCKED: ProtoState.RESTOCKED,
  EXPIRED: ProtoState.EXPIRED,
};

/** @param ttlMs how long a reservation holds */
export function inventoryHandlers(database: Database, ttlMs: number): Handlers<typeof InventoryService> {
  const reservationOf = async (orderId: string): Promise<Reservation> => requireReservation(await findReservation(database, orderId), orderId);

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

    async reserve({ orderId, lines }) {
      await database.transaction('inventory.reserve', async (tx) => {
        if (!(await openReservation(tx, orderId, 'RESERVED', ttlMs))) return;
        requireAllTaken(lines, await takeStock(tx, orderId, lines));
      });
      return { reservation: reservationToProto(requireSameReservation(await reservationOf(orderId), lines)) };
    },

    async commit({ orderId }) {
      await commitReservation(database, orderId);
      return { reservation: reservationToProto(requireCommitted(await reservationOf(orderId))) };
    },

    async release({ orderId }) {
      // Without a reservation yet, a RELEASED one is left behind, so that a late Reserve is refused.
      const isFirst = await openReservation(database, orderId, 'RELEASED', ttlMs);
      if (!isFirst) await releaseReservation(database, orderId);
      return { reservation: reservationToProto(requireGivenBack(await reservationOf(orderId))) };
    },

    async restock({ orderId }) {
      await restockReservation(database, orderId);
      return { reservation: reservationToProto(requireRestocked(await reservationOf(orderId))) };
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
