import type { Queryable, Statement } from '#database';

/** Money that moved: taken from a card, given back, or come back to us because the bank could not give it to anybody. */
export interface LedgerEntry {
  /** Grows with time. */
  readonly entryId: bigint;
  readonly kind: 'capture' | 'refund' | 'refund_failure';
  /** Stripe's id of the charge (`ch_…`), the refund (`re_…`) or the transaction that took a failed refund back (`txn_…`). */
  readonly objectId: string;
  readonly paymentIntentId: string;
  /**
   * Greater than zero, also for a refund; what is kept of a capture is it, less refunds, plus their failures. In the unit Stripe counts in, which for ISK, UGX and
   * MGA is not the minor unit of ISO 4217: `fromStripeAmount` makes money of it.
   */
  readonly amountMinor: bigint;
  /** ISO 4217 in capitals, as in `google.type.Money`. */
  readonly currency: string;
  /** From the payment's metadata; null when whoever charged gave none. */
  readonly orderId: string | null;
  readonly time: Date;
}

const COLUMNS = `entry_id AS "entryId", kind, object_id AS "objectId", payment_intent_id AS "paymentIntentId",
  amount AS "amountMinor", upper(currency) AS currency, order_id AS "orderId", created_at AS time`;

const READ: Statement = {
  name: 'stripe_simulator.read_ledger',
  text: `SELECT ${COLUMNS} FROM ledger ORDER BY entry_id`,
};
const READ_ORDER: Statement = {
  name: 'stripe_simulator.read_ledger_of_order',
  text: `SELECT ${COLUMNS} FROM ledger WHERE order_id = $1 ORDER BY entry_id`,
};

const READ_ORDERS: Statement = {
  name: 'stripe_simulator.read_ledger_of_orders',
  text: `SELECT ${COLUMNS} FROM ledger WHERE order_id = ANY($1) ORDER BY entry_id`,
};
const LIST_ORDERS: Statement = {
  name: 'stripe_simulator.list_orders_in_ledger',
  text: `SELECT DISTINCT order_id AS "orderId" FROM ledger WHERE order_id > $1 ORDER BY order_id LIMIT $2`,
};
const READ_NOBODYS: Statement = {
  name: 'stripe_simulator.read_ledger_of_nobody',
  text: `SELECT ${COLUMNS} FROM ledger WHERE order_id IS NULL AND entry_id > $1 ORDER BY entry_id LIMIT $2`,
};

/** Every entry, oldest first, or those of one order. What "charged once" is judged by. */
export function readLedger(db: Queryable, only: { readonly orderId?: string } = {}): Promise<LedgerEntry[]> {
  return only.orderId === undefined ? db.query(READ, []) : db.query(READ_ORDER, [only.orderId]);
}

/** Every entry of these orders, oldest first. */
export function ledgerOfOrders(db: Queryable, orderIds: readonly string[]): Promise<LedgerEntry[]> {
  return db.query(READ_ORDERS, [orderIds]);
}

/** The orders that have entries, `limit` of those behind `after` in the order of their ids: a ledger can be larger than memory. */
export async function ordersInLedger(db: Queryable, after: string, limit: number): Promise<string[]> {
  return (await db.query<{ orderId: string }>(LIST_ORDERS, [after, limit])).map(({ orderId }) => orderId);
}

/** Entries of no order, `limit` of those behind entry `after`. */
export function ledgerOfNobody(db: Queryable, after: bigint, limit: number): Promise<LedgerEntry[]> {
  return db.query(READ_NOBODYS, [after, limit]);
}
