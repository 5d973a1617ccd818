import type { Queryable, Statement, Transaction } from '#database';
import type { Money } from '#kit';

import { CLOSED_BY_REFUND, type Payment } from './domain.ts';

interface Row extends Omit<Payment, 'amount' | 'refundHeld' | 'refunded'> {
  readonly amountMinor: bigint;
  readonly refundHeldMinor: bigint;
  readonly refundedMinor: bigint;
  readonly currency: string;
}

const COLUMNS = `order_id AS "orderId", state, amount_minor AS "amountMinor", refund_held_minor AS "refundHeldMinor",
  refunded_minor AS "refundedMinor", currency, payment_method AS "paymentMethod", payment_intent_id AS "paymentIntentId",
  decline_code AS "declineCode", refund_wanted AS "refundWanted", trace_parent AS "traceParent", create_time AS "createTime", update_time AS "updateTime"`;

// Both of these run for every charge, so they write many at once: see `createPaymentWriter`.
const OPEN: Statement = {
  name: 'payment.open',
  text: `INSERT INTO payment (order_id, state, amount_minor, currency, payment_method, trace_parent, create_time, update_time, check_time)
         SELECT id, 'PROCESSING', amount, currency, method, trace, now, now, check_at
         FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
           AS given (id, amount, currency, method, trace, now, check_at)
         ON CONFLICT (order_id) DO NOTHING RETURNING ${COLUMNS}`,
};
// Two things lead the planner to the primary key, also when it first sees the table empty, and so to rows that are locked
// in the order in which they are given: the LIMIT, which is the size of the group; and PROCESSING said by what it is not,
// for by the words of the partial index it would read all that are PROCESSING through that.
const SETTLE: Statement = {
  name: 'payment.settle',
  text: `UPDATE payment SET state = given.to_state, payment_intent_id = given.intent, decline_code = given.decline, update_time = given.now
         FROM (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS each (id, to_state, intent, decline, now)
               LIMIT $6) AS given
         WHERE order_id = given.id AND state NOT IN ('COMPLETED', 'FAILED', 'REFUNDED') RETURNING ${COLUMNS}`,
};
const CLOSE: Statement = {
  name: 'payment.close',
  text: `INSERT INTO payment (order_id, state, amount_minor, currency, payment_method, decline_code, create_time, update_time)
         VALUES ($1, 'FAILED', 0, '', '', '${CLOSED_BY_REFUND}', $2, $2)
         ON CONFLICT (order_id) DO UPDATE SET refund_wanted = true WHERE payment.state = 'PROCESSING' AND NOT payment.refund_wanted
         RETURNING ${COLUMNS}`,
};
const FIND: Statement = { name: 'payment.find', text: `SELECT ${COLUMNS} FROM payment WHERE order_id = $1` };
const LOCK: Statement = { name: 'payment.lock', text: `SELECT ${COLUMNS} FROM payment WHERE order_id = $1 FOR UPDATE` };
// The lease is the next check's time: whoever dies over a payment leaves it to be looked at then.
const CLAIM: Statement = {
  name: 'payment.claim_unsettled',
  text: `UPDATE payment SET checks = checks + 1,
           check_time = $1::timestamptz + least($2 * 2 ^ least(checks, 20), 3600000) * interval '1 millisecond'
         WHERE state = 'PROCESSING' AND order_id IN (
           SELECT order_id FROM payment WHERE state = 'PROCESSING' AND check_time <= $1 ORDER BY check_time LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING ${COLUMNS}`,
};

export interface NewPayment {
  readonly orderId: string;
  readonly amount: Money;
  readonly paymentMethod: string;
  /** Of the charge. */
  readonly traceParent: string | undefined;
  readonly now: Date;
  /** When the reconciler is to ask about it if it is still PROCESSING. */
  readonly checkTime: Date;
}

/** Writes payments as PROCESSING, and answers those that it wrote: an order that has one already keeps it. */
export async function openPayments(db: Queryable, payments: readonly NewPayment[]): Promise<Payment[]> {
  const rows = await db.query<Row>(OPEN, [
    payments.map(({ orderId }) => orderId),
    payments.map(({ amount }) => amount.minor),
    payments.map(({ amount }) => amount.currency),
    payments.map(({ paymentMethod }) => paymentMethod),
    payments.map(({ traceParent }) => traceParent ?? null),
    payments.map(({ now }) => now),
    payments.map(({ checkTime }) => checkTime),
  ]);
  return rows.map(fromRow);
}

/**
 * Leaves a FAILED payment behind for an order that has none, so that a late Charge is refused, and notes on one that is
 * PROCESSING that a refund is wanted; undefined when it had no need of either.
 */
export async function closePayment(db: Queryable, orderId: string, now: Date): Promise<Payment | undefined> {
  const [row] = await db.query<Row>(CLOSE, [orderId, now]);
  return row && fromRow(row);
}

export async function findPayment(db: Queryable, orderId: string): Promise<Payment | undefined> {
  const [row] = await db.query<Row>(FIND, [orderId]);
  return row && fromRow(row);
}

/**
 * Nobody else changes it or its refunds until the transaction ends: whoever changes several of these rows takes this lock first.
 */
export async function lockPayment(tx: Transaction, orderId: string): Promise<Payment | undefined> {
  const [row] = await tx.query<Row>(LOCK, [orderId]);
  return row && fromRow(row);
}

/** How a charge ended. */
export type Settlement = { readonly orderId: string; readonly now: Date } & (
  | { readonly state: 'COMPLETED'; readonly paymentIntentId: string }
  | { readonly state: 'FAILED'; readonly paymentIntentId: string; readonly declineCode: string }
);

/** Settles payments, and answers those that it settled: one that is PROCESSING no longer stays what it is. */
export async function settlePayments(tx: Transaction, settlements: readonly Settlement[]): Promise<Payment[]> {
  const rows = await tx.query<Row>(SETTLE, [
    settlements.map(({ orderId }) => orderId),
    settlements.map(({ state }) => state),
    settlements.map(({ paymentIntentId }) => paymentIntentId || null),
    settlements.map((settlement) => (settlement.state === 'FAILED' ? settlement.declineCode : null)),
    settlements.map(({ now }) => now),
    settlements.length,
  ]);
  return rows.map(fromRow);
}

export interface Claim {
  readonly now: Date;
  /** The pause until the same one is due again, doubled with every check, an hour at most. */
  readonly pauseMs: number;
  readonly limit: number;
}

/** Takes payments that have been PROCESSING for too long; nobody else gets them until the pause is over. */
export async function claimUnsettled(db: Queryable, { now, pauseMs, limit }: Claim): Promise<Payment[]> {
  return (await db.query<Row>(CLAIM, [now, pauseMs, limit])).map(fromRow);
}

function fromRow({ amountMinor, refundHeldMinor, refundedMinor, currency, ...payment }: Row): Payment {
  const money = (minor: bigint): Money => ({ minor, currency });
  return { ...payment, amount: money(amountMinor), refundHeld: money(refundHeldMinor), refunded: money(refundedMinor) };
}
