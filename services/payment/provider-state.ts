import type { Transaction } from '#database';
import { appendEvent } from '#events';

import type { ChargeAtProvider, RefundAtProvider } from './card-gateway.ts';
import { isSameMoney, type Payment } from './domain.ts';
import { refundedEvent, refundFailedEvent, settledEvent } from './events.ts';
import { type Payments, timesOf } from './payments.ts';
import { isRest, type Refund, REFUNDED_ELSEWHERE } from './refund.ts';
import { askAnew, findRefund, moveRefund, nameRefund, openRefund, refundsOfOrder } from './refund-store.ts';
import { lockPayment, type Settlement, settlePayments } from './store.ts';

/** Whose a charge turned out to be: `stray` is a capture for an order of ours whose payment failed, or is another. */
export type Belonging = 'payment' | 'stray' | 'nobody';

/**
 * Brings our tables in line with what the provider has of a charge, whichever way that was heard of: states only move
 * forward, so an old reading or the same one again changes nothing. A stray capture is for the caller to give back.
 */
export async function takeOverCharge(tx: Transaction, payments: Payments, charge: ChargeAtProvider): Promise<Belonging> {
  const found = charge.orderId === undefined ? undefined : await lockPayment(tx, charge.orderId);
  if (!found) return 'nobody';
  const payment = (await settleBy(tx, payments, found, charge)) ?? found;
  if (charge.outcome.kind !== 'captured' || payment.state === 'PROCESSING') return 'payment';
  if (payment.state === 'FAILED' || payment.paymentIntentId !== charge.paymentIntentId) return 'stray';
  await takeOverRefunds(tx, payments, payment, charge.refunds);
  return 'payment';
}

async function settleBy(tx: Transaction, payments: Payments, payment: Payment, { paymentIntentId, outcome, amount }: ChargeAtProvider): Promise<Payment | undefined> {
  const { orderId } = payment;
  if (payment.state !== 'PROCESSING' || outcome.kind === 'unsettled' || !isSameMoney(payment.amount, amount)) return undefined;
  const head = { orderId, paymentIntentId, now: new Date(payments.clock.now()) };
  const settlement: Settlement =
    outcome.kind === 'captured' ? { ...head, state: 'COMPLETED' } : { ...head, state: 'FAILED', declineCode: outcome.declineCode };
  const [settled] = await settlePayments(tx, [settlement]);
  if (settled) await appendEvent(tx, settledEvent(payments, amount, settlement));
  return settled;
}

/** The caller holds the payment's lock. */
async function takeOverRefunds(tx: Transaction, payments: Payments, payment: Payment, atProvider: readonly RefundAtProvider[]): Promise<void> {
  const known = await refundsOfOrder(tx, payment.orderId);
  const strangers: RefundAtProvider[] = [];
  const met = new Set<string>();
  for (const refund of atProvider) {
    // Of two that bear the same name one is the one that was asked for, and the other one is somebody else's.
    const own = ownOf(known.filter(({ refundId }) => !met.has(refundId)), refund);
    if (!own) {
      strangers.push(refund);
      continue;
    }
    met.add(own.refundId);
    await takeOverRefund(tx, payments, own, refund);
  }
  await makeRoom(tx, payments, known.filter(({ refundId, state }) => state === 'REQUESTED' && !met.has(refundId)), leftAt(payment, atProvider));
  for (const refund of strangers) await takeOverStranger(tx, payments, payment.orderId, refund);
}

function ownOf(known: readonly Refund[], { stripeRefundId, refundId, amount }: RefundAtProvider): Refund | undefined {
  const named = known.find((refund) => refund.stripeRefundId === stripeRefundId);
  if (named) return named;
  // One that was given up is over: should it come to be after all, it is another one.
  const unnamed = known.filter((refund) => refund.stripeRefundId === null && refund.state !== 'FAILED');
  // Those of before there was a table of refunds bear no name at the provider.
  const isOld = (refund: Refund): boolean => refundId === undefined && refund.state === 'SUCCEEDED' && isSameMoney(refund.amount, amount);
  return unnamed.find((refund) => refund.refundId === refundId || isOld(refund));
}

/** Moves one refund to what it is at the provider, and announces what that means. The caller holds the payment's lock. */
export async function takeOverRefund(tx: Transaction, payments: Payments, own: Refund, refund: RefundAtProvider): Promise<Refund> {
  const { stripeRefundId, state, failure = null } = refund;
  if (isAnother(own, refund)) {
    await takeOverStranger(tx, payments, own.orderId, refund);
    return own;
  }
  const to = state === 'failed' ? 'FAILED' : state === 'pending' ? 'PENDING' : 'SUCCEEDED';
  // What is asked for under a key is what the provider gives back; the amount of a settled one cannot change.
  const amount = own.state === 'REQUESTED' ? refund.amount : own.amount;
  const moved = await moveRefund(tx, own.refundId, { to, amount, stripeRefundId, failure, ...timesOf(payments) });
  if (!moved) {
    if (own.stripeRefundId === null) await nameRefund(tx, own.refundId, stripeRefundId);
    return own;
  }
  if (to === 'FAILED') await announceFailure(tx, payments, own, moved);
  else if (own.state === 'REQUESTED') await announce(tx, payments, moved);
  return moved;
}

/** It was made under the name of one that was given up, or that is known to be another one. */
function isAnother(own: Refund, { stripeRefundId }: RefundAtProvider): boolean {
  return own.stripeRefundId === null ? own.state === 'FAILED' : own.stripeRefundId !== stripeRefundId;
}

/** Who wants all of an order's money back asks until it is there, and hears that this failed; nobody asks again for a part, or for what had counted as given back. */
async function announceFailure(tx: Transaction, payments: Payments, before: Refund, refund: Refund): Promise<void> {
  const { orderId, refundId, stripeRefundId, failure } = refund;
  const isWaitedFor = before.state === 'REQUESTED' && isRest(before);
  if (isWaitedFor) payments.log.warn({ orderId, refundId, stripeRefundId, failure }, 'the bank sent a refund back: who asks for it is told so');
  else payments.log.error({ orderId, refundId, stripeRefundId, failure }, 'the bank sent a refund back: give this money back another way');
  const payment = before.state === 'REQUESTED' ? undefined : await lockPayment(tx, orderId);
  if (payment) await appendEvent(tx, refundFailedEvent(payments, payment, refund));
}

async function announce(tx: Transaction, payments: Payments, refund: Refund): Promise<void> {
  const payment = await lockPayment(tx, refund.orderId);
  if (payment) await appendEvent(tx, refundedEvent(payments, payment, refund));
}

/** Somebody gave money back in the provider's dashboard. */
async function takeOverStranger(tx: Transaction, payments: Payments, orderId: string, { stripeRefundId, amount, state }: RefundAtProvider): Promise<void> {
  // It held nothing and changed nothing.
  if (state === 'failed') return;
  const standing = state === 'pending' ? 'PENDING' : 'SUCCEEDED';
  const refund = { refundId: stripeRefundId, orderId, amount, state: standing, reason: '', stripeRefundId, ...timesOf(payments) } as const;
  const opened = await openRefund(tx, refund);
  if (opened) await announce(tx, payments, opened);
  else if (!(await findRefund(tx, stripeRefundId))) payments.log.error({ orderId, stripeRefundId, amountMinor: amount.minor }, DOES_NOT_FIT);
}

const DOES_NOT_FIT = 'Stripe shows a refund for which nothing is left of the payment by our books; compare them in its dashboard';

/** What the provider would still give back. */
export function leftAt({ amount }: Pick<ChargeAtProvider, 'amount'>, atProvider: readonly RefundAtProvider[]): bigint {
  return atProvider.reduce((left, refund) => (refund.state === 'failed' ? left : left - refund.amount.minor), amount.minor);
}

/**
 * What the provider has no money left for it will refuse, whenever it is asked: such a request lets go of what it
 * holds. That of all that was left becomes one for what is left now.
 */
async function makeRoom(tx: Transaction, payments: Payments, requested: readonly Refund[], left: bigint): Promise<void> {
  const times = timesOf(payments);
  for (const refund of requested) {
    const { refundId, amount } = refund;
    if (amount.minor <= left) left -= amount.minor;
    else if (isRest(refund) && left > 0n) {
      await askAnew(tx, refund, { ...amount, minor: left }, times.now);
      left = 0n;
    } else await moveRefund(tx, refundId, { to: 'FAILED', amount, stripeRefundId: null, failure: REFUNDED_ELSEWHERE, ...times });
  }
}
