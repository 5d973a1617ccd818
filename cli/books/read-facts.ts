import type { Books, MoneyEntry, OrderFacts, OrderInBooks, PaymentInBooks } from './books.ts';

/**
 * Reads what the books say of these orders. `orders` were read before this is called, and our own
 * tables are read before the outsiders' books that they speak of: whatever one says has
 * happened can be found in the next.
 */
export async function readFacts(books: Books, orderIds: readonly string[], orders: readonly OrderInBooks[]): Promise<OrderFacts[]> {
  if (orderIds.length === 0) return [];
  const [payments, reservations, shipments] = await Promise.all([
    books.payments.entriesOf(orderIds),
    books.reservations.entriesOf(orderIds),
    books.shipments.entriesOf(orderIds),
  ]);
  const [money, bookings] = await Promise.all([
    books.ledger ? books.ledger.entriesOf(orderIds) : payments.flatMap(movedByPayment),
    books.bookings.entriesOf(orderIds),
  ]);
  const [orderOf, paymentOf, reservationOf, shipmentOf] = [byOrder(orders), byOrder(payments), byOrder(reservations), byOrder(shipments)];
  const [moneyOf, bookingsOf] = [Map.groupBy(money, idOf), Map.groupBy(bookings, idOf)];
  return orderIds.map((orderId) => ({
    orderId,
    order: orderOf.get(orderId),
    payment: paymentOf.get(orderId),
    money: moneyOf.get(orderId) ?? [],
    reservation: reservationOf.get(orderId),
    shipment: shipmentOf.get(orderId),
    bookings: bookingsOf.get(orderId) ?? [],
  }));
}

/** What payment's own table says has moved, where no ledger can be asked. */
function movedByPayment({ orderId, state, amount }: PaymentInBooks): MoneyEntry[] {
  const capture: MoneyEntry = { kind: 'capture', objectId: `payment of ${orderId}`, orderId, amount };
  if (state === 'COMPLETED') return [capture];
  return state === 'REFUNDED' ? [capture, { ...capture, kind: 'refund', objectId: `refund of ${orderId}` }] : [];
}

/** At most one entry for each order, by the primary key or a unique one. */
function byOrder<Entry extends { readonly orderId: string }>(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [entry.orderId, entry]));
}

function idOf({ orderId }: { readonly orderId: string }): string {
  return orderId;
}
