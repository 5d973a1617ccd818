import { MONEY_SPOILINGS } from './money-spoilings.ts';
import { changed, GIVEN_BACK, SOLD, type Spoiling, UNSOLD, without } from './spoiling.ts';

/** Ways to spoil any book. */
export const SPOILINGS: readonly Spoiling[] = [
  ...MONEY_SPOILINGS,
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
  { what: 'nobody was told how it ended', fates: [...SOLD, ...UNSOLD], spoil: (shop, id) => (shop.notices = without(shop.notices, id)), finds: ['not told'] },
  {
    what: 'its buyer was told twice that it is confirmed',
    fates: [...SOLD, 'cancelled'],
    spoil: (shop, id) => (shop.notices = shop.notices.map((entry) => (entry.orderId === id ? { ...entry, notices: ['ORDER_CONFIRMED', ...entry.notices] } : entry))),
    finds: ['told more than once'],
  },
  {
    what: 'its buyer was told that it is confirmed',
    fates: ['declined', 'out of stock'],
    spoil: (shop, id) => (shop.notices = changed(shop.notices, id, { notices: ['ORDER_CONFIRMED', 'ORDER_FAILED'] })),
    finds: ['told otherwise'],
  },
  {
    what: 'the order itself is gone',
    fates: SOLD,
    spoil: (shop, id) => (shop.orders = without(shop.orders, id)),
    // Its charge, its booking, its sale; and a remark about its rows.
    finds: ['unknown order', 'unknown order', 'unknown order', 'unknown order'],
  },
];
