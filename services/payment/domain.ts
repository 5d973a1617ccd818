import { type Money, refusal } from '#kit';

/** PROCESSING -> COMPLETED or FAILED, COMPLETED -> REFUNDED. */
export type PaymentState = 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'REFUNDED';

/** The decline code of a payment that Refund closed before it was ever charged. */
export const CLOSED_BY_REFUND = 'closed_by_refund';

export interface Payment {
  readonly orderId: string;
  readonly state: PaymentState;
  readonly amount: Money;
  readonly paymentMethod: string;
  /** Stripe's id; null until Stripe answered. */
  readonly paymentIntentId: string | null;
  /** Why it FAILED. */
  readonly declineCode: string | null;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** Stripe's idempotency keys: one effect for each order, however often it is asked for. */
export const chargeKey = (orderId: string): string => `charge-${orderId}`;
export const refundKey = (orderId: string): string => `refund-${orderId}`;

/** A repeat of Charge is answered with its payment, unless it asks for something else or comes after Refund. */
export function requireSameCharge(payment: Payment, amount: Money, paymentMethod: string): Payment {
  if (payment.declineCode === CLOSED_BY_REFUND) {
    throw refusal('PAYMENT_CLOSED', `order ${payment.orderId} was called off before it was charged; place a new order`);
  }
  const same = payment.amount.minor === amount.minor && payment.amount.currency === amount.currency && payment.paymentMethod === paymentMethod;
  if (same) return payment;
  throw refusal('IDEMPOTENCY_KEY_REUSED', `order ${payment.orderId} was charged with another amount or method; use a new order_id`);
}
