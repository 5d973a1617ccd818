import { type MeshError, type Money, moneyInWords, refusal } from '#kit';

import { leftOf } from './domain.ts';
import { paymentOf, type Payments } from './payments.ts';
import { MAX_PARTS, refundsOfOrder } from './refund-store.ts';

/** Why a part cannot be given back: INVALID_ARGUMENT for one in another currency than was paid in, else REFUND_TOO_LARGE. */
export async function refusedPart(payments: Payments, orderId: string, wanted: Money): Promise<MeshError> {
  const payment = await paymentOf(payments, orderId);
  const { currency } = payment.amount;
  // A payment closed before it was charged has no currency.
  if (currency !== '' && currency !== wanted.currency) return refusal('INVALID_ARGUMENT', `order ${orderId} was paid in ${currency}; ask for it in ${currency}`);
  const left = leftOf(payment);
  const isFull = wanted.minor <= left && (await refundsOfOrder(payments.database, orderId)).length >= MAX_PARTS;
  const why = left === 0n ? NOTHING_LEFT : isFull ? TOO_MANY_PARTS : `${moneyInWords({ minor: left, currency })} are left; ask for that or less`;
  const metadata = { order_id: orderId, left_minor: String(left), currency };
  return refusal('REFUND_TOO_LARGE', `that cannot be given back of the payment of order ${orderId}: ${why}`, { metadata });
}

const NOTHING_LEFT = 'nothing of it is left; see its refunds with GetPayment';
const TOO_MANY_PARTS = `it went back in ${MAX_PARTS} parts already, and no more are taken; Refund gives back what is left`;
