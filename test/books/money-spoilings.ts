import type { MadeUpShop } from './made-up-books.ts';
import type { Fate } from './made-up-orders.ts';
import { changed, GIVEN_BACK, SOLD, type Spoiling, without } from './spoiling.ts';

const PARTLY: readonly Fate[] = ['partly refunded'];
const KEPT: readonly Fate[] = [...SOLD, 'placing', 'cancelling'];

const EUR_1 = { minor: 100n, currency: 'EUR' };

/** Ways to spoil the ledger, and payment's own table. */
export const MONEY_SPOILINGS: readonly Spoiling[] = [
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
    what: 'more was given back than payment knows',
    fates: PARTLY,
    spoil: (shop, id) => shop.money.push({ kind: 'refund', objectId: 're_more', orderId: id, amount: { ...amountOf(shop, id), minor: 1n } }),
    finds: ['refunded though confirmed'],
  },
  {
    what: 'less was given back than payment says',
    fates: PARTLY,
    spoil: (shop, id) => (shop.money = shop.money.filter((entry) => entry.orderId !== id || entry.kind === 'capture')),
    finds: ['payment differs'],
  },
  {
    what: 'the bank sent a part back, and payment has not noticed',
    fates: PARTLY,
    spoil: sendBack,
    finds: ['payment differs'],
  },
  {
    what: 'the bank sent a refund back',
    fates: GIVEN_BACK,
    spoil: sendBack,
    finds: ['not given back', 'payment differs'],
  },
  {
    what: 'the charge may still go through',
    fates: ['declined'],
    spoil: (shop, id) => (shop.payments = changed(shop.payments, id, { state: 'PROCESSING' })),
    finds: ['payment differs'],
  },
  {
    what: 'it was given back twice',
    fates: GIVEN_BACK,
    spoil: (shop, id) => shop.money.push({ kind: 'refund', objectId: 're_second', orderId: id, amount: amountOf(shop, id) }),
    finds: ['refunded more than captured', 'payment differs'],
  },
  {
    what: 'the refund is missing in the ledger',
    fates: GIVEN_BACK,
    spoil: (shop, id) => (shop.money = shop.money.filter((entry) => entry.orderId !== id || entry.kind === 'capture')),
    finds: ['not given back', 'payment differs'],
  },
  {
    what: 'the ledger knows neither of its charge nor of its refund',
    fates: GIVEN_BACK,
    spoil: (shop, id) => (shop.money = without(shop.money, id)),
    finds: ['payment differs'],
  },
  {
    what: 'the payment says that it was never charged',
    fates: GIVEN_BACK,
    spoil: (shop, id) => (shop.payments = changed(shop.payments, id, { state: 'FAILED' })),
    finds: ['payment differs'],
  },
  {
    what: 'its money came and went without a payment',
    fates: GIVEN_BACK,
    spoil: (shop, id) => (shop.payments = without(shop.payments, id)),
    finds: ['payment differs'],
  },
  {
    what: 'its payment is of another amount',
    fates: GIVEN_BACK,
    spoil: (shop, id) => (shop.payments = changed(shop.payments, id, { amount: EUR_1 })),
    finds: ['payment differs'],
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
];

function sendBack(shop: MadeUpShop, orderId: string): void {
  const refund = shop.money.find((entry) => entry.orderId === orderId && entry.kind === 'refund');
  if (refund) shop.money.push({ ...refund, kind: 'refund failure', objectId: 'back' });
}

function chargeAgain(shop: MadeUpShop, orderId: string): void {
  shop.money.push({ kind: 'capture', objectId: 'ch_second', orderId, amount: EUR_1 });
}

function amountOf(shop: MadeUpShop, orderId: string) {
  const entry = shop.money.find((candidate) => candidate.orderId === orderId);
  if (!entry) throw new Error(`nothing moved for ${orderId}`);
  return entry.amount;
}
