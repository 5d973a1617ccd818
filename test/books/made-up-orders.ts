import type { Random } from '#kit';

import type { EndNotice, OrderInBooks } from '../../cli/books/books.ts';
import { emptyShop, type MadeUpShop } from './made-up-books.ts';

/** What has become of an order, and how. */
const FATES = ['confirmed', 'handed over', 'partly refunded', 'refunded in parts', 'declined', 'refused by the carrier', 'out of stock', 'cancelled', 'placing', 'cancelling'] as const;

export type Fate = (typeof FATES)[number];

const STATES: Readonly<Record<Fate, OrderInBooks['state']>> = {
  confirmed: 'CONFIRMED',
  'handed over': 'CONFIRMED',
  'partly refunded': 'CONFIRMED',
  'refunded in parts': 'CONFIRMED',
  declined: 'FAILED',
  'refused by the carrier': 'FAILED',
  'out of stock': 'FAILED',
  cancelled: 'CANCELLED',
  placing: 'PENDING',
  cancelling: 'CANCELLING',
};

const RECEIVED = 1_000n;

/** A shop whose books agree, with orders of these fates. Their ids are `order-0`, `order-1` … */
export function shopWith(fates: readonly Fate[], random: Random): MadeUpShop {
  const shop = emptyShop();
  shop.stock = ['beans', 'grinder'].map((productId) => ({ productId, available: RECEIVED, reserved: 0n, sold: 0n, received: RECEIVED }));
  for (const [index, fate] of fates.entries()) addOrder(shop, `order-${index}`, fate, random);
  return shop;
}

/** A shop with up to 40 orders of any fate. */
export function randomShop(random: Random): MadeUpShop {
  return shopWith(Array.from({ length: Math.floor(random.number() * 40) }, () => pick(FATES, random)), random);
}

export function pick<T>(choices: readonly T[], random: Random): T {
  // An index into a list that is not empty.
  return choices[Math.floor(random.number() * choices.length)] as T;
}

function addOrder(shop: MadeUpShop, orderId: string, fate: Fate, random: Random): void {
  const total = { minor: BigInt(100 + Math.floor(random.number() * 10_000)), currency: pick(['EUR', 'JPY', 'KWD'], random) };
  const lines = [
    { productId: 'beans', quantity: 1 + Math.floor(random.number() * 3) },
    ...(random.number() < 0.5 ? [{ productId: 'grinder', quantity: 1 }] : []),
  ];
  const trackingNumber = ['confirmed', 'handed over', 'partly refunded', 'refunded in parts', 'cancelled', 'cancelling'].includes(fate) ? `SIM-${orderId}` : '';
  const order: OrderInBooks = { orderId, state: STATES[fate], total, lines, trackingNumber, updateTime: new Date(0), version: '1' };
  shop.orders.push(order);
  addGoods(shop, order, fate);
  addMoney(shop, order, fate, random);
  addShipment(shop, order, fate);
  addNotices(shop, order);
}

/** What its buyer was told, and what a buyer of an order on its way may have been told. */
const NOTICES: Readonly<Record<OrderInBooks['state'], readonly EndNotice[]>> = {
  PENDING: [],
  CONFIRMED: ['ORDER_CONFIRMED'],
  CANCELLING: ['ORDER_CONFIRMED'],
  CANCELLED: ['ORDER_CANCELLED', 'ORDER_CONFIRMED'],
  FAILED: ['ORDER_FAILED'],
};

function addNotices(shop: MadeUpShop, { orderId, state }: OrderInBooks): void {
  shop.notices.push({ orderId, notices: NOTICES[state], isDeadLetter: false });
}

function addGoods(shop: MadeUpShop, { orderId, lines }: OrderInBooks, fate: Fate): void {
  if (fate === 'out of stock') return;
  const isSold = ['confirmed', 'handed over', 'partly refunded', 'refunded in parts', 'cancelling'].includes(fate);
  const isHeld = fate === 'placing';
  const state = isSold ? 'COMMITTED' : isHeld ? 'RESERVED' : fate === 'cancelled' ? 'RESTOCKED' : 'RELEASED';
  shop.reservations.push({ orderId, state, lines });
  if (!isSold && !isHeld) return;
  shop.stock = shop.stock.map((piles) => {
    const pieces = BigInt(lines.find(({ productId }) => productId === piles.productId)?.quantity ?? 0);
    return isSold
      ? { ...piles, available: piles.available - pieces, sold: piles.sold + pieces }
      : { ...piles, available: piles.available - pieces, reserved: piles.reserved + pieces };
  });
}

function addMoney(shop: MadeUpShop, { orderId, total: amount }: OrderInBooks, fate: Fate, random: Random): void {
  if (fate === 'out of stock') return;
  const none = { ...amount, minor: 0n };
  if (fate === 'declined') {
    shop.payments.push({ orderId, state: 'FAILED', amount, refunded: none, refundHeld: none });
    return;
  }
  shop.money.push({ kind: 'capture', objectId: `ch_${orderId}`, orderId, amount });
  // On its way, an order may have got as far as this or not.
  const isRefunded = ['refused by the carrier', 'cancelled', 'refunded in parts'].includes(fate) || (fate === 'cancelling' && random.number() < 0.5);
  const refunded = isRefunded ? amount : fate === 'partly refunded' ? { ...amount, minor: amount.minor / 2n } : none;
  const parts = fate === 'refunded in parts' ? [amount.minor / 3n, amount.minor - amount.minor / 3n] : [refunded.minor];
  for (const [number, minor] of parts.entries()) {
    if (minor > 0n) shop.money.push({ kind: 'refund', objectId: `re_${orderId}_${number}`, orderId, amount: { ...amount, minor } });
  }
  const state = isRefunded ? 'REFUNDED' : fate === 'placing' ? 'PROCESSING' : 'COMPLETED';
  shop.payments.push({ orderId, state, amount, refunded, refundHeld: refunded });
}

function addShipment(shop: MadeUpShop, { orderId, trackingNumber: number }: OrderInBooks, fate: Fate): void {
  const shipmentId = `shipment-of-${orderId}`;
  if (['declined', 'out of stock', 'placing'].includes(fate)) return;
  if (fate === 'refused by the carrier') {
    shop.shipments.push({ shipmentId, orderId, state: 'REFUSED', trackingNumber: null });
    return;
  }
  const isCalledOff = fate === 'cancelled' || fate === 'cancelling';
  const state = isCalledOff ? 'CANCELLED' : fate === 'handed over' ? 'HANDED_OVER' : 'SCHEDULED';
  shop.shipments.push({ shipmentId, orderId, state, trackingNumber: number });
  shop.bookings.push({ bookingKey: shipmentId, orderId, state: isCalledOff ? 'CANCELLED' : 'BOOKED', trackingNumber: number });
}
