import { MeshError, type Money, refusal, requireChargeable } from '#kit';
import { currentTraceparent } from '#tracing';

import { chargeKey, isSameMoney, NEVER_CHARGED, type Payment, REQUEST_REJECTED, requireSameCharge } from './domain.ts';
import { settledEvent } from './events.ts';
import { keyUse, paymentOf, type Payments, timesOf } from './payments.ts';
import type { Settlement } from './store.ts';

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
  const ask = keyUse(payments, payment.createTime) === 'send' ? askOutcome : findOutcome;
  return settle(payments, payment, await ask(payments, payment, signal));
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
  const { gateway, log } = payments;
  const charges = await gateway.findCharges(orderId, signal);
  const [capture, ...others] = charges.filter(({ outcome }) => outcome.kind === 'captured');
  if (others.length > 0) log.error({ orderId, paymentIntents: others.map(({ paymentIntentId }) => paymentIntentId) }, SECOND_CAPTURE);
  if (capture && isSameMoney(capture.amount, amount)) return { state: 'COMPLETED', paymentIntentId: capture.paymentIntentId };
  if (capture) throw outcomeUnknown(orderId, `captured another amount (${capture.paymentIntentId})`);
  const open = charges.find(({ outcome }) => outcome.kind === 'unsettled');
  if (open) throw outcomeUnknown(orderId, `has not settled it (${open.paymentIntentId})`);
  const declined = charges.map(({ outcome }) => outcome).findLast((outcome) => outcome.kind === 'declined');
  if (declined) return { ...declined, state: 'FAILED' };
  if (keyUse(payments, createTime) === 'settled') return { state: 'FAILED', paymentIntentId: '', declineCode: NEVER_CHARGED };
  throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', `Stripe shows no charge of order ${orderId} yet, and it may still be on its way; ask again in an hour`);
}

const SECOND_CAPTURE = 'Stripe has captured this order more than once; refund the others there';

/** The payment as it is then, whoever settled it. */
async function settle(payments: Payments, { orderId, amount }: Payment, found: Found): Promise<Payment> {
  const settlement: Settlement = { ...found, orderId, now: new Date(payments.clock.now()) };
  const settled = await payments.writer.settle({ settlement, event: settledEvent(payments, amount, settlement) });
  return settled ?? paymentOf(payments, orderId);
}

function outcomeUnknown(orderId: string, what: string): MeshError {
  const sentence = `Stripe was asked to charge order ${orderId} a day ago, and ${what}; look it up in its dashboard, by the metadata order_id`;
  return refusal('PAYMENT_OUTCOME_UNKNOWN', `${sentence}, and refund it there if need be`, { metadata: { order_id: orderId } });
}
