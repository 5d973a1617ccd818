import { MeshError, type Money, refusal, requireChargeable } from '#kit';

import { settleCharge } from './charging.ts';
import type { Payment } from './domain.ts';
import { keyUse, paymentOf, type Payments, timesOf } from './payments.ts';
import { takeOverCharge, takeOverRefund } from './provider-state.ts';
import { isRest, isSentBack, type Refund, REFUNDED_ELSEWHERE, refundKey, requireGivenBack, requireSameRefund, restRefundId } from './refund.ts';
import { askAnew, findRefund, type NewRefund, openRefund, refundsOfOrder } from './refund-store.ts';
import { refusedPart } from './refused-part.ts';
import { closePayment, lockPayment } from './store.ts';

/**
 * Gives back what is left of an order's money, or makes sure that none is taken. Throws PAYMENT_PROVIDER_UNAVAILABLE
 * while the outcome is unknown, and REFUND_FAILED for money that the bank sent back: somebody has to give it back by
 * hand, which a later call finds and takes for the refund.
 */
export async function refundWhole(payments: Payments, orderId: string, signal: AbortSignal): Promise<Payment> {
  const closed = await closePayment(payments.database, orderId, new Date(payments.clock.now()));
  let payment = await settleCharge(payments, closed ?? (await paymentOf(payments, orderId)), signal);
  if (payment.state === 'FAILED' || isGivenBack(payment)) return payment;
  for (const refund of await refundsOfOrder(payments.database, orderId)) await settleRefund(payments, payment, refund, signal);
  payment = await paymentOf(payments, orderId);
  if (isGivenBack(payment)) return payment;
  const rest = await restOf(payments, payment);
  if (rest?.state === 'REQUESTED') {
    await settleRefund(payments, payment, rest, signal);
    payment = await paymentOf(payments, orderId);
    if (isGivenBack(payment)) return payment;
  }
  // Money that the bank sent back may have been given back by hand, perhaps long ago.
  await readFromProvider(payments, payment, signal);
  payment = await paymentOf(payments, orderId);
  if (isGivenBack(payment)) return payment;
  (await refundsOfOrder(payments.database, orderId)).forEach(requireGivenBack);
  throw notAllGivenBack(payment);
}

/**
 * Gives a part of an order's money back, once for each `refundId`. One that Stripe refuses stays REQUESTED and is asked
 * for again: were it an error, who has it would take another `refundId`, and both would be paid.
 */
export async function refundPart(payments: Payments, wanted: PartialRefund, signal: AbortSignal): Promise<{ payment: Payment; refund: Refund }> {
  const { orderId, refundId, amount, reason } = wanted;
  requireChargeable(amount);
  const payment = await settleCharge(payments, await paymentOf(payments, orderId), signal);
  const request = { refundId, orderId, amount, reason, state: 'REQUESTED', stripeRefundId: null, ...timesOf(payments) } as const;
  const opened = payment.amount.currency === amount.currency ? await open(payments, request) : undefined;
  const known = opened ?? (await findRefund(payments.database, refundId));
  if (!known) throw await refusedPart(payments, orderId, amount);
  const refund = requireGivenBack(await settleOrLeave(payments, payment, requireSameRefund(known, orderId, amount), signal));
  if (refund.failure === REFUNDED_ELSEWHERE) throw await refusedPart(payments, orderId, amount);
  return { refund, payment: await paymentOf(payments, orderId) };
}

export interface PartialRefund {
  readonly orderId: string;
  readonly refundId: string;
  readonly amount: Money;
  readonly reason: string;
}

async function settleOrLeave(payments: Payments, payment: Payment, refund: Refund, signal: AbortSignal): Promise<Refund> {
  try {
    return await settleRefund(payments, payment, refund, signal);
  } catch (thrown) {
    const err = MeshError.from(thrown);
    if (err.reason !== 'PAYMENT_REJECTED') throw err;
    const { orderId, refundId } = refund;
    payments.log.warn({ err, orderId, refundId }, 'Stripe refuses a refund for now; it is asked for again');
    return (await findRefund(payments.database, refundId)) ?? refund;
  }
}

/**
 * Finds out what became of a refund that was asked for, and writes it down. A refusal of the provider leaves it
 * REQUESTED under a new key: it is asked for again, by whoever wants it or by the reconciler.
 */
export async function settleRefund(payments: Payments, payment: Payment, requested: Refund, signal: AbortSignal): Promise<Refund> {
  let refund = requested;
  if (refund.state === 'REQUESTED' && keyUse(payments, refund.askTime) !== 'send') refund = await askOtherwise(payments, payment, refund, signal);
  if (refund.state !== 'REQUESTED') return refund;
  try {
    return await ask(payments, payment, refund, signal);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    if (error.reason !== 'PAYMENT_REJECTED') throw error;
    // Perhaps because somebody gave money back by hand: then there may be less to ask for, or nothing.
    const other = await askOtherwise(payments, payment, refund, signal);
    if (other.state !== 'REQUESTED') return other;
    if (other.amount.minor === refund.amount.minor) throw error;
    return ask(payments, payment, other, signal);
  }
}

async function ask(payments: Payments, { paymentIntentId }: Payment, refund: Refund, signal: AbortSignal): Promise<Refund> {
  const { refundId, orderId, amount } = refund;
  if (paymentIntentId === null) throw new Error(`payment of ${orderId} was captured under no id`);
  const made = await payments.gateway.refund({ idempotencyKey: refundKey(refund), paymentIntentId, amount, orderId, refundId }, signal);
  return payments.database.transaction('payment.refund', async (tx) => {
    await lockPayment(tx, orderId);
    // Somebody else may have been faster.
    return takeOverRefund(tx, payments, (await findRefund(tx, refundId)) ?? refund, made);
  });
}

/** Reads what the provider has, and if that leaves the refund open, has it asked for under a new key. */
async function askOtherwise(payments: Payments, payment: Payment, refund: Refund, signal: AbortSignal): Promise<Refund> {
  await readFromProvider(payments, payment, signal);
  const now = (await findRefund(payments.database, refund.refundId)) ?? refund;
  if (now.state !== 'REQUESTED' || now.attempt !== refund.attempt) return now;
  // What was sent in the last moment may arrive yet, and under a new key it would be paid twice.
  if (keyUse(payments, now.askTime) === 'read') throw onItsWay(now.orderId);
  const anew = await askAnew(payments.database, now, now.amount, new Date(payments.clock.now()));
  // Somebody else has: then under the same key as that one, never again under the old one.
  return anew ?? (await findRefund(payments.database, refund.refundId)) ?? now;
}

/** Takes over what the provider has of a payment and its refunds. */
export async function readFromProvider(payments: Payments, { paymentIntentId }: Payment, signal: AbortSignal): Promise<void> {
  const charge = paymentIntentId === null ? undefined : await payments.gateway.lookUp(paymentIntentId, signal);
  if (charge) await payments.database.transaction('payment.take_over', (tx) => takeOverCharge(tx, payments, charge));
}

/**
 * The refund of all that is left: one that is under way, or a new one; undefined when nothing is left that is not held.
 * After one that went through, parts may have been given up, and what they held is a further rest; but never money
 * that the bank sent back, which is given back by hand.
 */
async function restOf(payments: Payments, { orderId }: Payment): Promise<Refund | undefined> {
  const refunds = await refundsOfOrder(payments.database, orderId);
  const rests = refunds.filter(isRest);
  const underWay = rests.find(({ state }) => state === 'REQUESTED');
  if (underWay || (rests.length > 0 && refunds.some(isSentBack))) return underWay;
  const refundId = restRefundId(orderId, rests.length + 1);
  const request = { refundId, orderId, amount: undefined, reason: '', state: 'REQUESTED', stripeRefundId: null, ...timesOf(payments) } as const;
  return (await open(payments, request)) ?? findRefund(payments.database, refundId);
}

/** As `openRefund`. */
function open({ database }: Payments, refund: NewRefund): Promise<Refund | undefined> {
  return database.transaction('payment.open_refund', async (tx) => {
    await lockPayment(tx, refund.orderId);
    return openRefund(tx, refund);
  });
}

function notAllGivenBack({ orderId, refunded, refundHeld }: Payment): MeshError {
  if (refundHeld.minor > refunded.minor) return onItsWay(orderId);
  return refusal('PAYMENT_PROVIDER_UNAVAILABLE', `meanwhile more of the money of order ${orderId} is to be given back; ask again`);
}

/** Held by refunds whose outcome is not known. */
function onItsWay(orderId: string): MeshError {
  return refusal('PAYMENT_PROVIDER_UNAVAILABLE', `money of order ${orderId} is on its way back, and Stripe has not said so yet; ask again`);
}

function isGivenBack({ amount, refunded }: Payment): boolean {
  return amount.minor === refunded.minor;
}
