import { MeshError, type Money, refusal, requireChargeable } from '#kit';
import { currentTraceparent } from '#tracing';

import { chargeKey, CLOSED_BY_REFUND, isCalledOff, isSameMoney, NEVER_CHARGED, type Payment, REQUEST_REJECTED, requireSameCharge } from './domain.ts';
import { settledEvent } from './events.ts';
import { keyUse, paymentOf, type Payments, timesOf } from './payments.ts';
import type { Settlement } from './store.ts';
import { giveBackStray, isOfOrder } from './stray-capture.ts';

/**
 * Charges an order once. PROCESSING is committed before Stripe is asked, so a process
 * that dies in between leaves a trace; whoever asks again sends the same key and gets
 * the first answer. Throws PAYMENT_PROVIDER_UNAVAILABLE while the outcome is unknown,
 * PAYMENT_OUTCOME_UNKNOWN when even Stripe cannot say after a day, and INVALID_ARGUMENT, with no payment opened, for an
 * amount that no card payment can be made of.
 */
export async function charge(payments: Payments, wanted: { orderId: string; amount: Money; paymentMethod: string }, signal: AbortSignal): Promise<Payment> {
  const { orderId, amount, paymentMethod } = wanted;
  requireChargeable(amount);
  const opened = await payments.writer.open({ ...wanted, ...timesOf(payments), traceParent: currentTraceparent() });
  return settleCharge(payments, opened ?? requireSameCharge(await paymentOf(payments, orderId), amount, paymentMethod), signal);
}

/** How a charge ended, as the card company has it. */
type Found =
  | { readonly state: 'COMPLETED'; readonly paymentIntentId: string }
  | { readonly state: 'FAILED'; readonly paymentIntentId: string; readonly declineCode: string };

/** Finds out what became of a charge whose outcome is not written down, and writes it down. */
export async function settleCharge(payments: Payments, payment: Payment, signal: AbortSignal): Promise<Payment> {
  if (payment.state !== 'PROCESSING') return payment;
  const use = keyUse(payments, payment.createTime);
  try {
    const ask = use !== 'send' ? findOutcome : isCalledOff(payment) ? callOff : askOutcome;
    return await settle(payments, payment, await ask(payments, payment, signal));
  } catch (thrown) {
    if (payment.refundWanted || MeshError.from(thrown).reason !== 'IDEMPOTENCY_KEY_REUSED') throw thrown;
    // Perhaps a Refund used the key up meanwhile.
    const now = await paymentOf(payments, payment.orderId);
    if (!now.refundWanted) throw thrown;
    return settleCharge(payments, now, signal);
  }
}

/**
 * A refund is wanted: a charge that has not reached the provider is never to be made there. Its key is used up for that;
 * where it was used before, the same request brings to light what became of it.
 */
async function callOff(payments: Payments, payment: Payment, signal: AbortSignal): Promise<Found> {
  const { orderId, amount } = payment;
  const isUsed = (await payments.gateway.useUpKey({ idempotencyKey: chargeKey(orderId), orderId, amount }, signal)) === 'used before';
  return isUsed ? askOutcome(payments, payment, signal) : { state: 'FAILED', paymentIntentId: '', declineCode: CLOSED_BY_REFUND };
}

/** The same key brings the first answer to light, or makes the charge if it had never arrived. */
async function askOutcome({ gateway }: Payments, { orderId, amount, paymentMethod }: Payment, signal: AbortSignal): Promise<Found> {
  try {
    const outcome = await gateway.charge({ idempotencyKey: chargeKey(orderId), orderId, amount, paymentMethod }, signal);
    return outcome.kind === 'captured' ? { ...outcome, state: 'COMPLETED' } : { ...outcome, state: 'FAILED' };
  } catch (thrown) {
    const error = MeshError.from(thrown);
    // Stripe refused the request itself, so nothing was charged and asking again is no use.
    if (error.reason === 'PAYMENT_REJECTED') return { state: 'FAILED', paymentIntentId: '', declineCode: REQUEST_REJECTED };
    throw error;
  }
}

/** The key may be forgotten, so nothing is sent that could charge: what is there is looked for. */
async function findOutcome(payments: Payments, { orderId, amount, createTime }: Payment, signal: AbortSignal): Promise<Found> {
  const charges = await payments.gateway.findCharges(orderId, signal);
  const [capture, ...others] = charges.filter(({ outcome }) => outcome.kind === 'captured');
  if (capture && !isSameMoney(capture.amount, amount)) throw outcomeUnknown(orderId, `captured another amount (${capture.paymentIntentId})`);
  for (const stray of others.filter(isOfOrder)) await giveBackStray(payments, stray, signal);
  if (capture) return { state: 'COMPLETED', paymentIntentId: capture.paymentIntentId };
  const open = charges.find(({ outcome }) => outcome.kind === 'unsettled');
  if (open) throw outcomeUnknown(orderId, `has not settled it (${open.paymentIntentId})`);
  const declined = charges.map(({ outcome }) => outcome).findLast((outcome) => outcome.kind === 'declined');
  if (declined) return { ...declined, state: 'FAILED' };
  if (keyUse(payments, createTime) === 'settled') return { state: 'FAILED', paymentIntentId: '', declineCode: NEVER_CHARGED };
  throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', `Stripe shows no charge of order ${orderId} yet, and it may still be on its way; ask again in an hour`);
}

/** The payment as it is then, whoever settled it. */
async function settle(payments: Payments, { orderId, amount }: Payment, found: Found): Promise<Payment> {
  const settlement: Settlement = { ...found, orderId, now: new Date(payments.clock.now()) };
  // Of a charge that was called off nobody is told, as of one that is refused because its order was.
  const isQuiet = found.state === 'FAILED' && found.declineCode === CLOSED_BY_REFUND;
  const settled = await payments.writer.settle({ settlement, event: isQuiet ? undefined : settledEvent(payments, amount, settlement) });
  return settled ?? paymentOf(payments, orderId);
}

function outcomeUnknown(orderId: string, what: string): MeshError {
  const sentence = `Stripe was asked to charge order ${orderId} a day ago, and ${what}; look it up in its dashboard, by the metadata order_id`;
  return refusal('PAYMENT_OUTCOME_UNKNOWN', `${sentence}, and refund it there if need be`, { metadata: { order_id: orderId } });
}
