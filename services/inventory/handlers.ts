import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import type { Database } from '#database';
import { refusal } from '#kit';
import type { Handlers } from '#mesh';
import { type InventoryService, type ReservationSchema, ReservationState as ProtoState, type StockSchema } from '#proto/shop/inventory/v1/inventory_pb.js';

import { type Reservation, type ReservationState, requireAllTaken, requireSameReservation, type Stock } from './domain.ts';
import { findReservation, findStock, giveStockBack, moveReservation, openReservation, sellStock, setStock, takeStock } from './store.ts';

const STATES: Readonly<Record<ReservationState, ProtoState>> = {
  RESERVED: ProtoState.RESERVED,
  COMMITTED: ProtoState.COMMITTED,
  RELEASED: ProtoState.RELEASED,
};

export function inventoryHandlers(database: Database): Handlers<typeof InventoryService> {
  return {
    async setStock({ productId, available }) {
      return { stock: stockToProto(await setStock(database, productId, available)) };
    },

    async getStock({ productId }) {
      const stock = await findStock(database, productId);
      if (!stock) throw refusal('PRODUCT_NOT_FOUND', `there is no product ${productId}; set its stock first`, { metadata: { product_id: productId } });
      return { stock: stockToProto(stock) };
    },

    async reserve({ orderId, lines }) {
      await database.transaction('inventory.reserve', async (tx) => {
        if (!(await openReservation(tx, orderId, 'RESERVED'))) return;
        requireAllTaken(lines, await takeStock(tx, orderId, lines));
      });
      return { reservation: reservationToProto(requireSameReservation(await reservationOf(database, orderId), lines)) };
    },

    async commit({ orderId }) {
      await database.transaction('inventory.commit', async (tx) => {
        if (await moveReservation(tx, orderId, 'RESERVED', 'COMMITTED')) await sellStock(tx, orderId);
      });
      const reservation = await reservationOf(database, orderId);
      if (reservation.state === 'RELEASED') throw refusal('RESERVATION_RELEASED', `order ${orderId} was released; place a new order`);
      return { reservation: reservationToProto(reservation) };
    },

    async release({ orderId }) {
      await database.transaction('inventory.release', async (tx) => {
        // Without a reservation yet, a RELEASED one is left behind, so that a late Reserve is refused.
        if (await openReservation(tx, orderId, 'RELEASED')) return;
        if (await moveReservation(tx, orderId, 'RESERVED', 'RELEASED')) await giveStockBack(tx, orderId);
      });
      const reservation = await reservationOf(database, orderId);
      if (reservation.state === 'COMMITTED') throw refusal('RESERVATION_COMMITTED', `order ${orderId} is sold; it cannot be released any more`);
      return { reservation: reservationToProto(reservation) };
    },
  };
}

async function reservationOf(database: Database, orderId: string): Promise<Reservation> {
  const reservation = await findReservation(database, orderId);
  if (reservation) return reservation;
  throw refusal('RESERVATION_NOT_FOUND', `order ${orderId} has reserved nothing; call Reserve first`, { metadata: { order_id: orderId } });
}

function stockToProto({ productId, available, reserved, sold, updateTime }: Stock): MessageInitShape<typeof StockSchema> {
  return { productId, available, reserved, sold, updateTime: timestampFromDate(updateTime) };
}

function reservationToProto({ orderId, state, lines, createTime }: Reservation): MessageInitShape<typeof ReservationSchema> {
  return { orderId, state: STATES[state], lines: lines.map((line) => ({ ...line })), createTime: timestampFromDate(createTime) };
}
