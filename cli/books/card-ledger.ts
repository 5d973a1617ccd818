import type { Queryable, Statement } from '#database';
import { MeshError, type Money } from '#kit';
import { fromStripeAmount } from '#stripe-simulator';

import type { AnonymousEntry, Ledger, MoneyEntry } from './books.ts';

/** The columns that `readLedger` reads, a page at a time: a ledger can be larger than memory. */
const COLUMNS = `entry_id AS "entryId", kind, object_id AS "objectId", order_id AS "orderId", amount, upper(currency) AS currency`;

interface Row {
  readonly entryId: bigint;
  readonly kind: MoneyEntry['kind'];
  readonly objectId: string;
  readonly orderId: string;
  /** In the unit Stripe counts in. */
  readonly amount: bigint;
  readonly currency: string;
}

const FIND: Statement = { name: 'books.find_money', text: `SELECT ${COLUMNS} FROM ledger WHERE order_id = ANY($1) ORDER BY entry_id` };
const ORDERS: Statement = {
  name: 'books.charged_orders',
  text: `SELECT DISTINCT order_id AS "orderId" FROM ledger WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
};
const ANONYMOUS: Statement = {
  name: 'books.anonymous_money',
  text: `SELECT ${COLUMNS} FROM ledger WHERE order_id IS NULL AND entry_id > $1 ORDER BY entry_id LIMIT $2`,
};

/** The book of the card-payment simulator. */
export function createCardLedger(db: Queryable): Ledger {
  return {
    orderIds: async (after, limit) => (await db.query<{ orderId: string }>(ORDERS, [after, limit])).map(({ orderId }) => orderId),
    entriesOf: async (orderIds) => (await db.query<Row>(FIND, [orderIds])).map(fromRow),
    anonymous: async (after, limit) => (await db.query<Row>(ANONYMOUS, [after, limit])).map(anonymousFromRow),
  };
}

function fromRow({ kind, objectId, orderId, amount, currency }: Row): MoneyEntry {
  return { kind, objectId, orderId, amount: moneyOf(amount, currency) };
}

function anonymousFromRow({ entryId, kind, objectId, amount, currency }: Row): AnonymousEntry {
  return { entryId, kind, objectId, amount: moneyOf(amount, currency) };
}

/** An amount that is a part of the smallest one is kept as it is, under a currency of its own: it can equal no order's total. */
function moneyOf(amount: bigint, currency: string): Money {
  try {
    return fromStripeAmount(amount, currency);
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'PAYMENT_REJECTED') throw thrown;
    return { minor: amount, currency: `${currency} in Stripe's unit` };
  }
}
