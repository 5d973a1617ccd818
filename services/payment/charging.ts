import type { Database } from '#database';
import { MeshError, type Money, refusal, requireChargeable } from '#kit';

import type { CardGateway } from './card-gateway.ts';
import { chargeKey, type Payment, refundKey, requireSameCharge } from './domain.ts';
import { closePayment, findPayment, movePayment, openPayment } from './store.ts';

/**
 * Charges an order once. PROCESSING is committed before Stripe is asked, so a process
 * that dies in between leaves a trace; whoever asks again sends the same key and gets
 * the first answer. Throws PAYMENT_PROVIDER_UNAVAILABLE while the outcome is unknown, and
 * INVALID_ARGUMENT, with no payment opened, for an amount that no card payment can be made of.
 */
export async function charge(
  database: Database,
  gateway: CardGateway,
  wanted: { orderId: string; amount: Money; paymentMethod: string },
  signal: AbortSignal,
): Promise<Payment> {
  const { orderId, amount, paymentMethod } = wanted;
  requireChargeable(amount);
  const opened = await openPayment(database, orderId, amount, paymentMethod);
  const payment = opened ?? requireSameCharge(await paymentOf(database, orderId), amount, paymentMethod);
  return payment.state === 'PROCESSING' ? askStripe(database, gateway, payment, signal) : payment;
}

/** Gives an order's money back, or makes sure that none is taken. */
export async function refund(database: Database, gateway: CardGateway, orderId: string, signal: AbortSignal): Promise<Payment> {
  const closed = await closePayment(database, orderId);
  if (closed) return closed;
  let payment = await paymentOf(database, orderId);
  // The outcome of the charge is not known: the same key brings it to light.
  if (payment.state === 'PROCESSING') payment = await askStripe(database, gateway, payment, signal);
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

async function askStripe(database: Database, gateway: CardGateway, payment: Payment, signal: AbortSignal): Promise<Payment> {
  const { orderId, amount, paymentMethod } = payment;
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
