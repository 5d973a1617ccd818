import type { Queryable, Statement, Transaction } from '#database';
import type { Money } from '#kit';

import type { Refund, RefundState } from './refund.ts';
import type { Claim } from './store.ts';

interface Row extends Omit<Refund, 'amount'> {
  readonly amountMinor: bigint;
  readonly currency: string;
}

/** Refunds of one payment that may be asked for in parts: Stripe lists no more at once, and neither may ours grow without end. */
export const MAX_PARTS = 100;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const COLUMNS = `r.refund_id AS "refundId", r.order_id AS "orderId", r.amount_minor AS "amountMinor", p.currency, r.state, r.reason,
  r.stripe_refund_id AS "stripeRefundId", r.failure, r.attempt, r.ask_time AS "askTime", r.create_time AS "createTime", r.update_time AS "updateTime"`;

// What is left, and how many there are, is judged under the payment's lock, which the caller has taken in a statement
// before: this one sees what those wrote who had it earlier. The checks of its table would refuse what this let through.
const OPEN: Statement = {
  name: 'refund.open',
  text: `WITH paid AS (SELECT * FROM payment WHERE order_id = $2),
         opened AS (
           INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, stripe_refund_id, ask_time, create_time, update_time, check_time)
           SELECT $1, order_id, coalesce($3, amount_minor - refund_held_minor), $4, $5, $6, $7, $7, $7, $8 FROM paid
           WHERE state IN ('COMPLETED', 'REFUNDED') AND refund_held_minor < amount_minor AND refund_held_minor + coalesce($3, 0) <= amount_minor
             AND ($3 IS NULL OR $4 <> 'REQUESTED' OR (SELECT count(*) FROM refund WHERE order_id = $2) < ${MAX_PARTS})
           ON CONFLICT (refund_id) DO NOTHING RETURNING *)
         SELECT ${COLUMNS} FROM opened r JOIN paid p USING (order_id)`,
};
const FIND: Statement = { name: 'refund.find', text: `SELECT ${COLUMNS} FROM refund r JOIN payment p USING (order_id) WHERE r.refund_id = $1` };
const LIST: Statement = {
  name: 'refund.list',
  text: `SELECT ${COLUMNS} FROM refund r JOIN payment p USING (order_id) WHERE r.order_id = $1 ORDER BY r.create_time, r.refund_id LIMIT ${2 * MAX_PARTS}`,
};
const MOVE: Statement = {
  name: 'refund.move',
  text: `UPDATE refund r SET state = $3, amount_minor = $4, stripe_refund_id = coalesce(r.stripe_refund_id, $5), failure = $6,
           checks = 0, check_time = $7, update_time = $8
         FROM payment p WHERE p.order_id = r.order_id AND r.refund_id = $1 AND r.state = ANY($2) RETURNING ${COLUMNS}`,
};
const ASK_ANEW: Statement = {
  name: 'refund.ask_anew',
  text: `UPDATE refund r SET attempt = r.attempt + 1, amount_minor = $3, ask_time = $4, update_time = $4
         FROM payment p WHERE p.order_id = r.order_id AND r.refund_id = $1 AND r.attempt = $2 AND r.state = 'REQUESTED' RETURNING ${COLUMNS}`,
};
const NAME: Statement = { name: 'refund.name', text: `UPDATE refund SET stripe_refund_id = $2 WHERE refund_id = $1 AND stripe_refund_id IS NULL AND state = 'SUCCEEDED'` };
// One that went through may come back for a month: it is looked at after 1, 2, 4, 8 and 16 days, and no more.
const CLAIM: Statement = {
  name: 'refund.claim_unsettled',
  text: `UPDATE refund r SET checks = r.checks + 1,
           check_time = CASE
             WHEN r.state = 'SUCCEEDED' AND r.checks >= 4 THEN NULL
             WHEN r.state = 'SUCCEEDED' THEN $1::timestamptz + ${DAY_MS} * 2 ^ (r.checks + 1) * interval '1 millisecond'
             ELSE $1::timestamptz + least($2 * 2 ^ least(r.checks, 20), ${HOUR_MS}) * interval '1 millisecond' END
         FROM payment p WHERE p.order_id = r.order_id AND r.refund_id IN (
           SELECT refund_id FROM refund WHERE check_time <= $1 ORDER BY check_time LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING ${COLUMNS}`,
};

export interface NewRefund {
  readonly refundId: string;
  readonly orderId: string;
  /** Undefined for all that is left. */
  readonly amount: Money | undefined;
  readonly reason: string;
  /** REQUESTED, or what one has come to that was not asked for here. */
  readonly state: 'REQUESTED' | 'PENDING' | 'SUCCEEDED';
  readonly stripeRefundId: string | null;
  readonly now: Date;
  readonly checkTime: Date;
}

/**
 * Writes a refund, which holds its amount; undefined when there is one of this id, less is left of the payment, or it
 * has too many parts. The caller holds the payment's lock.
 */
export async function openRefund(tx: Transaction, refund: NewRefund): Promise<Refund | undefined> {
  const { refundId, orderId, amount, state, reason, stripeRefundId, now, checkTime } = refund;
  const [row] = await tx.query<Row>(OPEN, [refundId, orderId, amount?.minor ?? null, state, reason, stripeRefundId, now, checkTime]);
  return row && fromRow(row);
}

export async function findRefund(db: Queryable, refundId: string): Promise<Refund | undefined> {
  const [row] = await db.query<Row>(FIND, [refundId]);
  return row && fromRow(row);
}

/** An order's refunds, oldest first: the parts, what is left, and what was given back by hand. */
export async function refundsOfOrder(db: Queryable, orderId: string): Promise<Refund[]> {
  return (await db.query<Row>(LIST, [orderId])).map(fromRow);
}

const REACHED_FROM: Readonly<Record<Exclude<RefundState, 'REQUESTED'>, readonly RefundState[]>> = {
  PENDING: ['REQUESTED'],
  SUCCEEDED: ['REQUESTED', 'PENDING'],
  FAILED: ['REQUESTED', 'PENDING', 'SUCCEEDED'],
};

/** When a refund is next looked at that has come to a state: one that waits for the bank soon, and one that went through in a day. */
function checkTimeOf({ to, now, checkTime }: RefundMove): Date | null {
  if (to === 'FAILED') return null;
  return to === 'PENDING' ? checkTime : new Date(now.getTime() + DAY_MS);
}

export interface RefundMove {
  readonly to: Exclude<RefundState, 'REQUESTED'>;
  readonly amount: Money;
  readonly stripeRefundId: string | null;
  /** Of a FAILED one. */
  readonly failure: string | null;
  readonly now: Date;
  /** When the bank's word is first asked for, of a PENDING one: the pause doubles from then on. */
  readonly checkTime: Date;
}

/** Moves a refund on; undefined when its state does not lead there. */
export async function moveRefund(tx: Transaction, refundId: string, move: RefundMove): Promise<Refund | undefined> {
  const { to, amount, stripeRefundId, failure, now } = move;
  const [row] = await tx.query<Row>(MOVE, [refundId, REACHED_FROM[to], to, amount.minor, stripeRefundId, failure, checkTimeOf(move), now]);
  return row && fromRow(row);
}

/** Sees to it that a refused refund is asked for under a new key, perhaps of a smaller amount; undefined when somebody else has, or it is settled. */
export async function askAnew(db: Queryable, { refundId, attempt }: Refund, amount: Money, now: Date): Promise<Refund | undefined> {
  const [row] = await db.query<Row>(ASK_ANEW, [refundId, attempt, amount.minor, now]);
  return row && fromRow(row);
}

/** Notes the provider's id of a refund that was written before ids were. */
export async function nameRefund(tx: Transaction, refundId: string, stripeRefundId: string): Promise<void> {
  await tx.query(NAME, [refundId, stripeRefundId]);
}

/** Takes refunds that are due to be looked at; nobody else gets them until the pause is over. */
export async function claimUnsettledRefunds(db: Queryable, { now, pauseMs, limit }: Claim): Promise<Refund[]> {
  return (await db.query<Row>(CLAIM, [now, pauseMs, limit])).map(fromRow);
}

function fromRow({ amountMinor, currency, ...refund }: Row): Refund {
  return { ...refund, amount: { minor: amountMinor, currency } };
}
