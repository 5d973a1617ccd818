import { MeshError } from '#kit';

import type { ChargeAtProvider } from './card-gateway.ts';
import { leftAt } from './provider-state.ts';
import type { Payments } from './payments.ts';
import { noteStray } from './stray-store.ts';

/** A captured charge of an order that is none of its payment's. */
export type StrayCapture = ChargeAtProvider & { readonly orderId: string };

export function isOfOrder(charge: ChargeAtProvider | undefined): charge is StrayCapture {
  return charge?.orderId !== undefined;
}

/** Stripe's idempotency key, which no refund of a payment has: their keys have no colon. */
const strayKey = (paymentIntentId: string): string => `refund:stray:${paymentIntentId}`;

/**
 * Gives back what is left of money that was captured for an order besides its payment, once. What the provider refuses,
 * or the bank sends back, is said and left to a hand. Throws PAYMENT_PROVIDER_UNAVAILABLE while the outcome is unknown:
 * then it is to be called again.
 */
export async function giveBackStray(payments: Payments, stray: StrayCapture, signal: AbortSignal): Promise<void> {
  const { database, clock, log } = payments;
  const { orderId, paymentIntentId } = stray;
  if (leftAt(stray, stray.refunds) > 0n && !(await isRefunded(payments, stray, signal))) return;
  // Its own refund is told of as well, and finds it here again.
  if (await noteStray(database, stray, orderId, new Date(clock.now()))) log.warn({ orderId, paymentIntentId, amountMinor: stray.amount.minor }, 'Stripe had captured money besides the payment of this order; it went back');
}

async function isRefunded({ gateway, log }: Payments, stray: StrayCapture, signal: AbortSignal): Promise<boolean> {
  const { orderId, paymentIntentId, amount, refunds } = stray;
  const left = { ...amount, minor: leftAt(stray, refunds) };
  const refundId = `stray.${paymentIntentId}`;
  const sentBack = refunds.find((refund) => refund.refundId === refundId && refund.state === 'failed');
  try {
    const wanted = { idempotencyKey: strayKey(paymentIntentId), paymentIntentId, amount: left, orderId, refundId };
    // What the bank sent back is not asked for again: the same key would repeat the first answer, that it went through.
    const { state, stripeRefundId, failure } = sentBack ?? (await gateway.refund(wanted, signal));
    if (state === 'failed') log.error({ orderId, paymentIntentId, stripeRefundId, failure }, `the bank sent back the refund of ${STRAY}`);
    return state !== 'failed';
  } catch (thrown) {
    const err = MeshError.from(thrown);
    if (err.code === 'UNAVAILABLE') throw err;
    log.error({ err, orderId, paymentIntentId }, `Stripe does not refund ${STRAY}`);
    return false;
  }
}

const STRAY = 'money that it captured besides the payment of this order; give it back in its dashboard, or another way';
