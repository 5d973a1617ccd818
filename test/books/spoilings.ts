import type { DifferenceKind } from '../../cli/books/difference.ts';
import type { MadeUpShop } from './made-up-books.ts';
import type { Fate } from './made-up-orders.ts';

/** One way to spoil the books about an order, and what is then to be found about it. */
export interface Spoiling {
  readonly what: string;
  /** Of the orders that it can be done to. */
  readonly fates: readonly Fate[];
  readonly spoil: (shop: MadeUpShop, orderId: string) => void;
  readonly finds: readonly DifferenceKind[];
}

const SOLD: readonly Fate[] = ['confirmed', 'handed over'];
const KEPT: readonly Fate[] = [...SOLD, 'placing', 'cancelling'];
const GIVEN_BACK: readonly Fate[] = ['cancelled', 'refused by the carrier'];
const UNSOLD: readonly Fate[] = [...GIVEN_BACK, 'declined', 'out of stock'];

type Entry = { readonly orderId: string };

function without<T extends Entry>(entries: readonly T[], orderId: string): T[] {
  return entries.filter((entry) => entry.orderId !== orderId);
}

function changed<T extends Entry>(entries: readonly T[], orderId: string, change: Partial<T>): T[] {
  return entries.map((entry) => (entry.orderId === orderId ? { ...entry, ...change } : entry));
}

const EUR_1 = { minor: 100n, currency: 'EUR' };

export const SPOILINGS: readonly Spoiling[] = [
  {
    what: 'the capture is missing in the ledger',
    fates: SOLD,
    spoil: (shop, id) => (shop.money = without(shop.money, id)),
    finds: ['not captured'],
  },
  {
    what: 'there is a second capture',
    fates: KEPT,
    spoil: chargeAgain,
    finds: ['captured more than once'],
  },
  { what: 'there is a second capture, which is kept', fates: GIVEN_BACK, spoil: chargeAgain, finds: ['captured more than once', 'not given back'] },
  {
    what: 'another amount was captured',
    fates: SOLD,
    spoil: (shop, id) => (shop.money = shop.money.map((entry) => (entry.orderId === id ? { ...entry, amount: { ...entry.amount, minor: entry.amount.minor - 1n } } : entry))),
    finds: ['captured another amount'],
  },
  {
    what: 'another currency was captured',
    fates: SOLD,
    spoil: (shop, id) => (shop.money = shop.money.map((entry) => (entry.orderId === id ? { ...entry, amount: { ...entry.amount, currency: 'CHF' } } : entry))),
    finds: ['captured another amount'],
  },
  {
    what: 'a part was given back',
    fates: SOLD,
    spoil: (shop, id) => shop.money.push({ kind: 'refund', objectId: 're_part', orderId: id, amount: { ...amountOf(shop, id), minor: 1n } }),
    finds: ['refunded though confirmed'],
  },
  {
    what: 'it was given back twice',
    fates: GIVEN_BACK,
    spoil: (shop, id) => shop.money.push({ kind: 'refund', objectId: 're_second', orderId: id, amount: amountOf(shop, id) }),
    finds: ['refunded more than captured'],
  },
  {
    what: 'the refund is missing in the ledger',
    fates: GIVEN_BACK,
    spoil: (shop, id) => (shop.money = shop.money.filter((entry) => entry.orderId !== id || entry.kind === 'capture')),
    finds: ['not given back'],
  },
  { what: 'the payment is missing', fates: SOLD, spoil: (shop, id) => (shop.payments = without(shop.payments, id)), finds: ['payment differs'] },
  {
    what: 'the payment says that it was refunded',
    fates: SOLD,
    spoil: (shop, id) => (shop.payments = changed(shop.payments, id, { state: 'REFUNDED' })),
    finds: ['payment differs'],
  },
  {
    what: 'the payment is of another amount',
    fates: SOLD,
    spoil: (shop, id) => (shop.payments = changed(shop.payments, id, { amount: EUR_1 })),
    finds: ['payment differs'],
  },
  {
    what: 'the payment says that it was completed',
    fates: GIVEN_BACK,
    spoil: (shop, id) => (shop.payments = changed(shop.payments, id, { state: 'COMPLETED' })),
    finds: ['payment differs'],
  },
  {
    what: 'the reservation is missing',
    fates: SOLD,
    spoil: (shop, id) => (shop.reservations = without(shop.reservations, id)),
    finds: ['reservation differs', 'sold pieces differ'],
  },
  {
    what: 'the reservation ran out',
    fates: SOLD,
    spoil: (shop, id) => (shop.reservations = changed(shop.reservations, id, { state: 'EXPIRED' })),
    finds: ['reservation differs', 'sold pieces differ'],
  },
  {
    what: 'other goods were sold',
    fates: SOLD,
    spoil: (shop, id) => (shop.reservations = changed(shop.reservations, id, { lines: [{ productId: 'tea', quantity: 1 }] })),
    finds: ['reserved other lines', 'sold pieces differ'],
  },
  {
    what: 'its goods stay reserved',
    fates: [...GIVEN_BACK, 'declined'],
    spoil: (shop, id) => (shop.reservations = changed(shop.reservations, id, { state: 'RESERVED' })),
    finds: ['reservation differs', 'reserved pieces differ'],
  },
  { what: 'the shipment is missing', fates: SOLD, spoil: (shop, id) => (shop.shipments = without(shop.shipments, id)), finds: ['shipment differs'] },
  {
    what: 'the shipment waits for an answer for ever',
    fates: [...SOLD, ...GIVEN_BACK],
    spoil: (shop, id) => (shop.shipments = changed(shop.shipments, id, { state: 'BOOKING' })),
    finds: ['shipment differs'],
  },
  {
    what: 'the order names another tracking number',
    fates: SOLD,
    spoil: (shop, id) => (shop.orders = changed(shop.orders, id, { trackingNumber: 'SIM-OTHER' })),
    finds: ['shipment differs'],
  },
  { what: 'the carrier knows nothing of it', fates: SOLD, spoil: (shop, id) => (shop.bookings = without(shop.bookings, id)), finds: ['not booked'] },
  {
    what: 'the carrier has called it off',
    fates: SOLD,
    spoil: (shop, id) => (shop.bookings = changed(shop.bookings, id, { state: 'CANCELLED' })),
    finds: ['not booked'],
  },
  {
    what: 'the carrier comes twice',
    fates: SOLD,
    spoil: (shop, id) => shop.bookings.push({ bookingKey: 'second', orderId: id, state: 'BOOKED', trackingNumber: 'SIM-SECOND' }),
    finds: ['booked more than once'],
  },
  {
    what: 'the carrier comes under another number',
    fates: SOLD,
    spoil: (shop, id) => (shop.bookings = changed(shop.bookings, id, { trackingNumber: 'SIM-OTHER' })),
    finds: ['booking differs'],
  },
  {
    what: 'the carrier comes under another key',
    fates: SOLD,
    spoil: (shop, id) => (shop.bookings = changed(shop.bookings, id, { bookingKey: 'other' })),
    finds: ['booking differs'],
  },
  {
    what: 'the carrier comes all the same',
    fates: UNSOLD,
    spoil: (shop, id) => shop.bookings.push({ bookingKey: 'stray', orderId: id, state: 'BOOKED', trackingNumber: 'SIM-STRAY' }),
    finds: ['still booked'],
  },
  {
    what: 'the order itself is gone',
    fates: SOLD,
    spoil: (shop, id) => (shop.orders = without(shop.orders, id)),
    // Its charge, its booking, its sale; and a remark about its rows.
    finds: ['unknown order', 'unknown order', 'unknown order', 'unknown order'],
  },
];

function chargeAgain(shop: MadeUpShop, orderId: string): void {
  shop.money.push({ kind: 'capture', objectId: 'ch_second', orderId, amount: EUR_1 });
}

function amountOf(shop: MadeUpShop, orderId: string) {
  const entry = shop.money.find((candidate) => candidate.orderId === orderId);
  if (!entry) throw new Error(`nothing moved for ${orderId}`);
  return entry.amount;
}
