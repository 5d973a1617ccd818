import type { Database } from '#database';
import { type Clock, MeshError, type Money, refusal, requireChargeable } from '#kit';

import type { CardGateway } from './card-gateway.ts';
import { chargeKey, type Payment, refundKey, requireSameCharge } from './domain.ts';
import { closePayment, findPayment, movePayment, openPayment } from './store.ts';

/** What charging stands on. */
export interface Charging {
  readonly database: Database;
  readonly gateway: CardGateway;
  readonly clock: Clock;
}

/**
 * For so long a charge may be sent again: Stripe keeps a key for at least 24 hours
 * (https://docs.stripe.com/api/idempotent_requests). Later the same request would be a second charge.
 */
const KEY_KEPT_MS = 23 * 60 * 60 * 1_000;

/**
 * Charges an order once. PROCESSING is committed before Stripe is asked, so a process
 * that dies in between leaves a trace; whoever asks again sends the same key and gets
 * the first answer. Throws PAYMENT_PROVIDER_UNAVAILABLE while the outcome is unknown,
 * PAYMENT_OUTCOME_UNKNOWN once it is too late to ask, and INVALID_ARGUMENT, with no payment opened, for an amount
 * that no card payment can be made of.
 */
export async function charge(charging: Charging, wanted: { orderId: string; amount: Money; paymentMethod: string }, signal: AbortSignal): Promise<Payment> {
  const { database } = charging;
  const { orderId, amount, paymentMethod } = wanted;
  requireChargeable(amount);
  const opened = await openPayment(database, orderId, amount, paymentMethod);
  const payment = opened ?? requireSameCharge(await paymentOf(database, orderId), amount, paymentMethod);
  return payment.state === 'PROCESSING' ? askStripe(charging, payment, signal) : payment;
}

/** Gives an order's money back, or makes sure that none is taken. */
export async function refund(charging: Charging, orderId: string, signal: AbortSignal): Promise<Payment> {
  const { database, gateway } = charging;
  const closed = await closePayment(database, orderId);
  if (closed) return closed;
  let payment = await paymentOf(database, orderId);
  // The outcome of the charge is not known: the same key brings it to light.
  if (payment.state === 'PROCESSING') payment = await askStripe(charging, payment, signal);
  if (payment.state !== 'COMPLETED' || payment.paymentIntentId === null) return payment;
  await gateway.refund({ idempotencyKey: refundKey(orderId), paymentIntentId: payment.paymentIntentId }, signal);
  await movePayment(database, orderId, { from: 'COMPLETED', to: 'REFUNDED' });
  return paymentOf(database, orderId);
}

export async function paymentOf(database: Database, orderId: string): Promise<Payment> {
  const payment = await findPayment(database, orderId);
  if (payment) return payment;
  throw refusal('PAYMENT_NOT_FOUND', `order ${orderId} has no payment; charge it first`, { metadata: { order_id: orderId } });
}

async function askStripe({ database, gateway, clock }: Charging, payment: Payment, signal: AbortSignal): Promise<Payment> {
  const { orderId, amount, paymentMethod } = payment;
  if (clock.now() - payment.createTime.getTime() > KEY_KEPT_MS) throw outcomeUnknown(orderId);
  try {
    const outcome = await gateway.charge({ idempotencyKey: chargeKey(orderId), orderId, amount, paymentMethod }, signal);
    const { paymentIntentId } = outcome;
    if (outcome.kind === 'captured') await movePayment(database, orderId, { from: 'PROCESSING', to: 'COMPLETED', paymentIntentId });
    else await movePayment(database, orderId, { from: 'PROCESSING', to: 'FAILED', paymentIntentId, declineCode: outcome.declineCode });
  } catch (thrown) {
    const error = MeshError.from(thrown);
    // Stripe refused the request itself, so nothing was charged and asking again is no use.
    if (error.reason !== 'PAYMENT_REJECTED') throw error;
    await movePayment(database, orderId, { from: 'PROCESSING', to: 'FAILED', declineCode: 'request_rejected' });
  }
  return paymentOf(database, orderId);
}

function outcomeUnknown(orderId: string): MeshError {
  const sentence = `Stripe was asked to charge order ${orderId} a day ago and never answered; whether it did is seen in its dashboard, by the metadata order_id`;
  return refusal('PAYMENT_OUTCOME_UNKNOWN', `${sentence}: refund it there if need be`, { metadata: { order_id: orderId } });
}
