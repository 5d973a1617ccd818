import { type Money, refusal, requireChargeable } from '#kit';

/**
 * PENDING -> CONFIRMED, FAILED or CANCELLED; CONFIRMED -> CANCELLING -> CANCELLED, or
 * CONFIRMED again when the parcel was handed over first.
 */
export type OrderState = 'PENDING' | 'CONFIRMED' | 'FAILED' | 'CANCELLING' | 'CANCELLED';

export interface OrderLine {
  readonly productId: string;
  /** The product's when the order was placed. */
  readonly name: string;
  readonly quantity: number;
  /** Price of one piece when the order was placed. */
  readonly unitPrice: Money;
}

export interface Address {
  readonly recipient: string;
  readonly street: string;
  readonly city: string;
  readonly postalCode: string;
  readonly countryCode: string;
}

export interface Order {
  readonly orderId: string;
  readonly userId: string;
  readonly state: OrderState;
  /** Why it FAILED, such as CARD_DECLINED, or was CANCELLED; else empty. */
  readonly reason: string;
  readonly lines: readonly OrderLine[];
  readonly total: Money;
  readonly paymentMethod: string;
  readonly shippingAddress: Address;
  /** The carrier's; empty until the shipment is booked. */
  readonly trackingNumber: string;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** One numbered state change of an order. */
export interface OrderChange {
  readonly sequence: bigint;
  readonly state: OrderState;
  readonly reason: string;
  readonly time: Date;
}

/** The reason of an order that its buyer called off. */
export const CANCELLED_BY_CALLER = 'CANCELLED_BY_CALLER';

/** Whether nothing more happens by itself. */
export function isAtRest(state: OrderState): boolean {
  return state !== 'PENDING' && state !== 'CANCELLING';
}

/** What the lines cost together. MIXED_CURRENCIES; INVALID_ARGUMENT for what no card payment can be. */
export function totalOf(lines: readonly OrderLine[]): Money {
  const minor = lines.reduce((sum, line) => sum + line.unitPrice.minor * BigInt(line.quantity), 0n);
  const [currency, ...others] = new Set(lines.map((line) => line.unitPrice.currency));
  if (currency === undefined) throw refusal('INVALID_ARGUMENT', 'an order has at least one line');
  if (others.length > 0) {
    throw refusal('MIXED_CURRENCIES', `these products are sold in ${[currency, ...others].join(' and ')}; place one order for each currency`);
  }
  const total = { minor, currency };
  requireChargeable(total);
  return total;
}
