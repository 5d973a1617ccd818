import type { Queryable, Statement, Transaction } from '#database';

import type { Page } from './paging.ts';

/** Money that moved: taken from a card, or given back. */
export interface LedgerEntry {
  /** Grows with time. */
  readonly entryId: bigint;
  readonly kind: 'capture' | 'refund';
  /** Stripe's id of the charge (`ch_…`) or refund (`re_…`). */
  readonly objectId: string;
  readonly paymentIntentId: string;
  /** Greater than zero, also for a refund. */
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
const LIST_REFUNDS: Statement = {
  name: 'stripe_simulator.list_refunds',
  text: `SELECT ${COLUMNS} FROM ledger
         WHERE kind = 'refund' AND ($1::text IS NULL OR payment_intent_id = $1) AND ($2::text IS NULL OR object_id < $2)
         ORDER BY object_id DESC LIMIT $3`,
};
const RECORD_REFUND: Statement = {
  name: 'stripe_simulator.record_refund',
  text: `WITH intent AS (
           UPDATE payment_intent SET amount_refunded = amount_refunded + $3 WHERE id = $1
           RETURNING id, currency, metadata->>'order_id' AS order_id
         )
         INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, order_id, created_at)
         SELECT 'refund', $2, id, $3, currency, order_id, $4 FROM intent`,
};

/** Every entry, oldest first, or those of one order. What "charged once" is judged by. */
export function readLedger(db: Queryable, only: { readonly orderId?: string } = {}): Promise<LedgerEntry[]> {
  return only.orderId === undefined ? db.query(READ, []) : db.query(READ_ORDER, [only.orderId]);
}

/** Newest first. */
export function listRefunds(db: Queryable, paymentIntentId: string | undefined, { startingAfter, limit }: Page): Promise<LedgerEntry[]> {
  return db.query(LIST_REFUNDS, [paymentIntentId ?? null, startingAfter ?? null, limit]);
}

/** Gives money back. The caller holds the payment intent's lock and has checked that this much is left. */
export async function recordRefund(
  tx: Transaction,
  { objectId, paymentIntentId, amountMinor, time }: Pick<LedgerEntry, 'objectId' | 'paymentIntentId' | 'amountMinor' | 'time'>,
): Promise<void> {
  await tx.query(RECORD_REFUND, [paymentIntentId, objectId, amountMinor, time]);
}
