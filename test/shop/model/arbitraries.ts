import * as fc from 'fast-check';

import type { ModuleName } from '#modules';

import { cancel, cancelWhileHandedOver, handOver, watchOn } from './commands/after-sale.ts';
import { rush } from './commands/at-once.ts';
import { killInstance, killPostgres, stallInstance } from './commands/bad-luck.ts';
import { cancelPending } from './commands/cancel-pending.ts';
import type { ShopCommand } from './commands/command.ts';
import { type Draft, place, sendAgain, sendOther } from './commands/place.ts';
import { scale } from './commands/scale.ts';
import { changePrice, setStock } from './commands/seller.ts';
import type { Trouble } from './trouble.ts';
import type { Card, Carrier } from './wanted.ts';

/** What a history begins with: few products and few pieces, so that orders get in each other's way, and one that nobody has set the stock of. */
export const PRODUCTS = [
  { priceMinor: 1250, stock: 16 },
  { priceMinor: 999, stock: 6 },
  { priceMinor: 100, stock: undefined },
] as const;

/** What may happen, the more often the higher its weight. */
export type Happenings = readonly fc.WeightedArbitrary<ShopCommand>[];

/** Each value as often as its weight says; shorter histories have the first of them. */
function weighted<T extends string>(weights: Readonly<Partial<Record<T, number>>>): fc.Arbitrary<T> {
  // Object.entries forgets that the keys are T.
  return fc.constantFrom(...(Object.entries(weights) as [T, number][]).flatMap(([value, weight]) => Array<T>(weight).fill(value)));
}

const product = fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2);
const pieces = fc.nat(16);
/** Picks one of the orders or requests that there are by then. */
const drawn = fc.nat(20);
const priceMinor = fc.integer({ min: 100, max: 5000 });
const card = weighted<Card>({ good: 9, 'slow to refund': 1, declined: 1, unknown: 1 });
const carrier = weighted<Carrier>({ books: 9, refuses: 1, 'fails twice': 1, 'loses its answer': 1 });
/** Gives who cancels an order time to meet it on its way. */
const hesitantCarrier = weighted<Carrier>({ books: 2, refuses: 1, 'fails twice': 3, 'loses its answer': 2 });

function drafts(given: { readonly seen?: boolean; readonly carrier?: fc.Arbitrary<Carrier> } = {}): fc.Arbitrary<Draft> {
  const seen = given.seen ? weighted({ not: 6, right: 3, stale: 1 } as const) : fc.constant('not' as const);
  const line = fc.record({ product, quantity: fc.constantFrom(1, 1, 1, 1, 2, 2, 3, 4), seen });
  const lines = fc.uniqueArray(line, { selector: (entry) => entry.product, minLength: 1, maxLength: 2 });
  return fc.record({ lines, card, carrier: given.carrier ?? carrier });
}

function troubles(kind: Trouble['kind'], points: readonly string[]): fc.Arbitrary<Trouble> {
  return fc.constantFrom(...points).map((point) => ({ kind, point }));
}

/** Of the calls that an order makes on its way, forward or back. */
const CALLS = ['Reserve', 'Charge', 'ScheduleShipment', 'Commit', 'Release', 'Refund', 'CancelShipment'];
const lost = troubles('lose', [...CALLS.map((method) => `answer ${method}`), 'answer PlaceOrder', 'answer BatchGetProducts']);
const lostCancelling = troubles('lose', ['CancelShipment', 'Refund', 'Restock', 'CancelOrder'].map((method) => `answer ${method}`));

/** Where a process of a service with two instances dies while an order is placed. */
const deaths = troubles('kill', [
  ...['order.place', 'saga.place-order.finish', 'inventory.reserve'].flatMap((name) => [`before commit ${name}`, `after commit ${name}`]),
  ...['reserve', 'charge', 'schedule shipment', 'confirm'].flatMap((step) => [`before step ${step}`, `after step ${step}`]),
  ...['reserve', 'charge'].flatMap((step) => [`before compensation ${step}`, `after compensation ${step}`]),
  ...['Reserve', 'Commit', 'Release'].flatMap((method) => [`serve ${method}`, `answer ${method}`]),
  'answer PlaceOrder',
]);
const deathsCancelling = troubles('kill', [
  ...['order.cancel', 'saga.cancel-order.finish'].flatMap((name) => [`before commit ${name}`, `after commit ${name}`]),
  ...['cancel shipment', 'refund', 'restock'].flatMap((step) => [`before step ${step}`, `after step ${step}`]),
  ...['serve Restock', 'answer Restock', 'answer CancelOrder'],
]);
/** Where one of a service with one instance dies, and everybody waits for it to come back. */
const loneDeaths = troubles('kill', ['answer GetUser', 'serve BatchGetProducts', ...['Charge', 'Refund', 'ScheduleShipment', 'CancelShipment'].flatMap((method) => [`serve ${method}`, `answer ${method}`])]);

const crowd = fc.array(drafts(), { minLength: 2, maxLength: 5 });
const refill = fc.option(fc.record({ product, available: pieces }), { nil: undefined, freq: 3 });

/** What happens in a shop in which nothing breaks, one after the other. */
export const TRADE: Happenings = [
  { weight: 3, arbitrary: fc.tuple(product, pieces).map((given) => setStock(...given)) },
  { weight: 2, arbitrary: fc.tuple(product, priceMinor).map((given) => changePrice(...given)) },
  { weight: 8, arbitrary: drafts({ seen: true }).map((draft) => place(draft)) },
  { weight: 2, arbitrary: drawn.map(sendAgain) },
  { weight: 1, arbitrary: drawn.map(sendOther) },
  { weight: 4, arbitrary: drawn.map((order) => cancel(order)) },
  { weight: 2, arbitrary: drawn.map(handOver) },
  { weight: 2, arbitrary: fc.tuple(drawn, fc.nat(5)).map((given) => watchOn(...given)) },
];

/** What happens at the same time. */
export const CROWDS: Happenings = [
  { weight: 2, arbitrary: drawn.map(cancelWhileHandedOver) },
  { weight: 3, arbitrary: fc.record({ drafts: crowd, refill }).map(rush) },
  { weight: 3, arbitrary: drafts({ carrier: hesitantCarrier }).map((draft) => cancelPending(draft)) },
];

/** Answers that are lost, and processes that die where another instance goes on. */
export const MISHAPS: Happenings = [
  { weight: 1, arbitrary: fc.tuple(drafts(), lost).map((given) => place(...given)) },
  { weight: 1, arbitrary: fc.tuple(drawn, lostCancelling).map((given) => cancel(...given)) },
  { weight: 1, arbitrary: fc.tuple(drafts(), deaths).map((given) => place(...given)) },
  { weight: 1, arbitrary: fc.tuple(drawn, deathsCancelling).map((given) => cancel(...given)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom<ModuleName>('order', 'inventory'), drawn).map((given) => killInstance(...given)) },
];

const afterMs = fc.nat(300);
const busy = fc.record({ ordering: fc.record({ drafts: crowd, refill }).map(rush), afterMs });
/** Nobody counts the shelf: whoever was stopped might do so late, when others have counted it again. */
const busyBuying = fc.record({ ordering: fc.record({ drafts: crowd }).map(rush), afterMs });
const lonely = fc.constantFrom<ModuleName>('user', 'product', 'payment', 'shipping');

/** What takes too long to happen often. */
export const DISASTERS: Happenings = [
  { weight: 1, arbitrary: drafts({ carrier: fc.constant('is slow') }).map((draft) => cancelPending(draft)) },
  { weight: 1, arbitrary: drafts({ carrier: fc.constant('is slow') }).map((draft) => place(draft)) },
  { weight: 1, arbitrary: fc.tuple(drafts(), loneDeaths).map((given) => place(...given)) },
  { weight: 1, arbitrary: fc.tuple(drawn, loneDeaths).map((given) => cancel(...given)) },
  { weight: 2, arbitrary: fc.record({ drafts: crowd, refill, trouble: deaths }).map(rush) },
  { weight: 2, arbitrary: fc.tuple(drafts({ carrier: hesitantCarrier }), deaths).map((given) => cancelPending(...given)) },
  { weight: 1, arbitrary: fc.tuple(lonely, drawn).map((given) => killInstance(...given)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom<ModuleName>('order', 'inventory', 'payment', 'shipping'), drawn, busy).map((given) => killInstance(...given)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom<ModuleName>('order', 'inventory', 'payment', 'shipping'), fc.integer({ min: 1, max: 3 }), drafts()).map((given) => scale(...given)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom<ModuleName>('order', 'order', 'inventory', 'payment', 'shipping'), drawn, busyBuying).map((given) => stallInstance(...given)) },
  { weight: 2, arbitrary: fc.option(busy, { nil: undefined }).map(killPostgres) },
];
