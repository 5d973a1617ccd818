import { moneyInWords } from '#kit';

import type { OrderFacts, OrderInBooks } from './books.ts';
import type { Difference } from './difference.ts';
import { judgeGoodsGivenBack, judgeSoldGoods } from './judge-goods.ts';
import { judgeMovements, judgeNoSale, judgePayment, judgeSale } from './judge-money.ts';
import { judgeNotices } from './judge-notices.ts';
import { judgeBookings, judgeNoShipment, judgeSentShipment, judgeShipmentAlone, standingOf } from './judge-shipment.ts';

/** Whether the order still moves by itself, so that the books about it need not agree yet. */
export function isMoving({ state }: OrderInBooks): boolean {
  return state === 'PENDING' || state === 'CANCELLING';
}

/** How the books about one id differ from what its order says, or, where there is no order, from one another. */
export function judgeOrder(facts: OrderFacts): Difference[] {
  const { order } = facts;
  const always = [...judgeMovements(facts), ...judgeBookings(facts)];
  if (!order) return [...always, ...judgePayment(facts), ...judgeShipmentAlone(facts), ...judgeUnknown(facts)];
  switch (order.state) {
    case 'PENDING':
    case 'CANCELLING':
      return always;
    case 'CONFIRMED':
      return [
        ...always,
        ...judgeSale(facts, order),
        ...judgeSoldGoods(facts, order),
        ...judgeSentShipment(facts, order),
        ...judgeNotices(facts, order.state),
      ];
    case 'FAILED':
    case 'CANCELLED':
      return [
        ...always,
        ...judgeNoSale(facts, order),
        ...judgeGoodsGivenBack(facts, order),
        ...judgeNoShipment(facts, order),
        ...judgeNotices(facts, order.state),
      ];
  }
}

/**
 * What stands in the books for an order that does not exist. Money that moved, a carrier that
 * comes and goods that are gone are somebody's loss; the rest is told and harms nobody: a
 * reservation runs out, and a payment without a charge or a shipment without a booking is only a row.
 */
function judgeUnknown(facts: OrderFacts): Difference[] {
  const { orderId: id, payment, money, reservation, shipment, bookings } = facts;
  const unknown = (fails: boolean, says: string): Difference => ({ kind: 'unknown order', about: 'order', id, says, fails });
  const standing = standingOf(facts);
  const losses = [
    ...money.map(({ kind, objectId, amount }) => unknown(true, `does not exist, and has a ${kind} of ${moneyInWords(amount)} (${objectId})`)),
    ...standing.map(({ bookingKey }) => unknown(true, `does not exist, and is booked at the carrier (${bookingKey})`)),
    ...(reservation?.state === 'COMMITTED' ? [unknown(true, 'does not exist, and goods were sold for it')] : []),
  ];
  const rows = [
    ...(payment ? [`a payment (${payment.state})`] : []),
    ...(reservation && reservation.state !== 'COMMITTED' ? [`a reservation (${reservation.state})`] : []),
    ...(shipment ? [`a shipment (${shipment.state})`] : []),
    ...(bookings.length > standing.length ? ['a booking that was called off'] : []),
  ];
  return rows.length > 0 ? [...losses, unknown(false, `does not exist, and has ${rows.join(', ')}`)] : losses;
}
