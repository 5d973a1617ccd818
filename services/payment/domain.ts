import { type Money, refusal } from '#kit';

/** PROCESSING -> COMPLETED or FAILED, COMPLETED -> REFUNDED. The database refuses any other move. */
export type PaymentState = 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'REFUNDED';

/** The decline code of a payment that Refund closed before it was ever charged, and so that it never will be. */
export const CLOSED_BY_REFUND = 'closed_by_refund';
/** Of one whose charge the card company refused as a request. */
export const REQUEST_REJECTED = 'request_rejected';
/** Of one whose answer was lost, and the card company knows of no charge. */
export const NEVER_CHARGED = 'never_charged';

export interface Payment {
  readonly orderId: string;
  readonly state: PaymentState;
  readonly amount: Money;
  /** What of it is on its way back or back already; no further refund may come near it. */
  readonly refundHeld: Money;
  /** What has gone back of it. */
  readonly refunded: Money;
  readonly paymentMethod: string;
  /** Stripe's id; null until Stripe answered. */
  readonly paymentIntentId: string | null;
  /** Why it FAILED. */
  readonly declineCode: string | null;
  /** A Refund came while it was PROCESSING. */
  readonly refundWanted: boolean;
  /** Of the charge. */
  readonly traceParent: string | null;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** Stripe's idempotency key: one charge for each order, however often it is asked for. */
export const chargeKey = (orderId: string): string => `charge-${orderId}`;

/** What no refund has taken of an amount that was captured. */
export function leftOf({ state, amount, refundHeld }: Payment): bigint {
  return state === 'COMPLETED' || state === 'REFUNDED' ? amount.minor - refundHeld.minor : 0n;
}

/** A repeat of Charge is answered with its payment, unless it asks for something else or comes after Refund. */
export function requireSameCharge(payment: Payment, amount: Money, paymentMethod: string): Payment {
  if (payment.declineCode === CLOSED_BY_REFUND || isCalledOff(payment)) {
    throw refusal('PAYMENT_CLOSED', `order ${payment.orderId} was called off before it was charged; place a new order`);
  }
  if (isSameMoney(payment.amount, amount) && payment.paymentMethod === paymentMethod) return payment;
  throw refusal('IDEMPOTENCY_KEY_REUSED', `order ${payment.orderId} was charged with another amount or method; use a new order_id`);
}

/** A Refund waits to know what became of the charge: nothing is to be sent that could charge. */
export const isCalledOff = ({ state, refundWanted }: Payment): boolean => state === 'PROCESSING' && refundWanted;

export function isSameMoney(a: Money, b: Money): boolean {
  return a.minor === b.minor && a.currency === b.currency;
}
