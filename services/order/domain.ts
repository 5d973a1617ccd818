import { type Money, refusal } from '#kit';

/** PENDING -> CONFIRMED, FAILED or CANCELLED; those are final. */
export type OrderState = 'PENDING' | 'CONFIRMED' | 'FAILED' | 'CANCELLED';

export interface OrderLine {
  readonly productId: string;
  readonly quantity: number;
  /** Price of one piece. */
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
  /** Why it FAILED, such as CARD_DECLINED; else empty. */
  readonly reason: string;
  readonly lines: readonly OrderLine[];
  readonly total: Money;
  readonly paymentMethod: string;
  readonly shippingAddress: Address;
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

export function isFinal(state: OrderState): boolean {
  return state !== 'PENDING';
}

/** Largest total: what a card network would refuse anyway, and far from the limits of int64. */
const MAX_TOTAL_MINOR = 100_000_000_00n;

/** What the lines cost together. They are in one currency: the contract says so. */
export function totalOf(lines: readonly OrderLine[]): Money {
  const minor = lines.reduce((sum, line) => sum + line.unitPrice.minor * BigInt(line.quantity), 0n);
  const currency = lines[0]?.unitPrice.currency;
  if (currency === undefined) throw refusal('INVALID_ARGUMENT', 'an order has at least one line');
  if (minor > MAX_TOTAL_MINOR) throw refusal('INVALID_ARGUMENT', 'the order costs more than one order may; split it');
  return { minor, currency };
}
