import type { Books, MoneyEntry, OrderFacts, OrderInBooks, PaymentInBooks } from './books.ts';

/**
 * Reads what the books say of these orders. `orders` were read before this is called, and our own
 * tables are read before the outsiders' books that they speak of: whatever one says has
 * happened can be found in the next.
 */
export async function readFacts(books: Books, orderIds: readonly string[], orders: readonly OrderInBooks[]): Promise<OrderFacts[]> {
  if (orderIds.length === 0) return [];
  const [payments, reservations, shipments, notices] = await Promise.all([
    books.payments.entriesOf(orderIds),
    books.reservations.entriesOf(orderIds),
    books.shipments.entriesOf(orderIds),
    books.notices.entriesOf(orderIds),
  ]);
  const [money, bookings] = await Promise.all([
    books.ledger ? books.ledger.entriesOf(orderIds) : payments.flatMap(movedByPayment),
    books.bookings.entriesOf(orderIds),
  ]);
  const [orderOf, paymentOf, reservationOf] = [byOrder(orders), byOrder(payments), byOrder(reservations)];
  const [shipmentOf, noticesOf] = [byOrder(shipments), byOrder(notices)];
  const [moneyOf, bookingsOf] = [Map.groupBy(money, idOf), Map.groupBy(bookings, idOf)];
  return orderIds.map((orderId) => ({
    orderId,
    order: orderOf.get(orderId),
    payment: paymentOf.get(orderId),
    money: moneyOf.get(orderId) ?? [],
    reservation: reservationOf.get(orderId),
    shipment: shipmentOf.get(orderId),
    bookings: bookingsOf.get(orderId) ?? [],
    notices: noticesOf.get(orderId) ?? { orderId, notices: [], isDeadLetter: false },
  }));
}

/** What payment's own table says has moved, where no ledger can be asked. REFUNDED means that all of it went back once: what is lacking came back. */
function movedByPayment({ orderId, state, amount, refunded }: PaymentInBooks): MoneyEntry[] {
  if (state !== 'COMPLETED' && state !== 'REFUNDED') return [];
  const entry = (kind: MoneyEntry['kind'], minor: bigint): MoneyEntry => ({ kind, objectId: `payment of ${orderId}`, orderId, amount: { ...amount, minor } });
  const given = state === 'REFUNDED' ? amount.minor : refunded.minor;
  return [entry('capture', amount.minor), entry('refund', given), entry('refund failure', given - refunded.minor)].filter((moved) => moved.amount.minor > 0n);
}

/** At most one entry for each order, by the primary key or a unique one. */
function byOrder<Entry extends { readonly orderId: string }>(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [entry.orderId, entry]));
}

function idOf({ orderId }: { readonly orderId: string }): string {
  return orderId;
}
