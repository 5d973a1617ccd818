import type { Wanted } from './wanted.ts';

/** Pieces of a product, each on one of three piles; undefined while its stock was never set. */
export interface Piles {
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly received: number;
}

export interface ProductModel {
  readonly priceMinor: number;
  readonly stock: Piles | undefined;
}

/** How an order ends: by its reason where it fails. */
export type End = 'CONFIRMED' | 'STOCK_NOT_SET' | 'OUT_OF_STOCK' | 'CARD_DECLINED' | 'PAYMENT_REJECTED' | 'CARRIER_REFUSED';

/** Why a call is refused; '' when it is not. */
export type Refusal = '' | 'PRICE_CHANGED' | 'IDEMPOTENCY_KEY_REUSED' | 'ORDER_FAILED' | 'ORDER_NOT_CONFIRMED' | 'SHIPMENT_HANDED_OVER' | 'SHIPMENT_CANCELLED' | 'SHIPMENT_NOT_SCHEDULED';

/** A state and why it was reached. */
export type Change = readonly [state: string, reason: string];

/** What can be seen of an order that is at rest. */
export interface OrderView {
  readonly state: string;
  readonly reason: string;
  readonly lines: readonly { readonly product: number; readonly quantity: number; readonly unitMinor: number }[];
  readonly totalMinor: number;
  /** What the card company took, and gave back. */
  readonly captures: readonly number[];
  readonly refunds: readonly number[];
  readonly shipment: string;
}

export interface OrderModel extends OrderView {
  /** In the order of their numbers. */
  readonly changes: readonly Change[];
}

/** A request as it was sent, to be sent again; `order` is the number of the order that it placed. */
export interface RequestModel {
  readonly wanted: Wanted;
  order?: number;
}

export const NO_SHIPMENT = 'NONE';

/**
 * The shop in a buyer's head: stock, money and orders, and no more. It knows nothing of
 * services, steps or instances: what it says holds however the shop is made. A class, since
 * it is a state machine, and a wrong model is one with a method of its own.
 */
export class ShopModel {
  readonly products: ProductModel[];
  readonly orders: OrderModel[] = [];
  readonly requests: RequestModel[] = [];
  /** Processes killed in this history. */
  kills = 0;

  constructor(products: readonly ProductModel[]) {
    this.products = [...products];
  }

  setStock(product: number, available: number): void {
    const { reserved, sold } = this.stockOf(product);
    this.#change(product, { stock: { available, reserved, sold, received: available + reserved + sold } });
  }

  changePrice(product: number, priceMinor: number): void {
    this.#change(product, { priceMinor });
  }

  /** Whether a new request is refused, before anything is written. */
  refusalOf({ lines }: Wanted): Refusal {
    return lines.some(({ product, seenMinor }) => seenMinor !== undefined && seenMinor !== this.products[product]?.priceMinor) ? 'PRICE_CHANGED' : '';
  }

  /** How an order ends that has the shop for itself. */
  endOf(wanted: Wanted): End {
    return shortageOf(this.available(), wanted) ?? failureOf(wanted) ?? 'CONFIRMED';
  }

  available(): (number | undefined)[] {
    return this.products.map(({ stock }) => stock?.available);
  }

  /** Writes an order that ended so, and returns its number. */
  place(wanted: Wanted, end: End): number {
    const lines = wanted.lines.map(({ product, quantity }) => ({ product, quantity, unitMinor: this.products[product]?.priceMinor ?? 0 }));
    const totalMinor = lines.reduce((sum, { quantity, unitMinor }) => sum + quantity * unitMinor, 0);
    const confirmed = end === 'CONFIRMED';
    const [state, reason] = confirmed ? [end, ''] : ['FAILED', end];
    const order = { state, reason, lines, totalMinor, changes: [['PENDING', ''], [state, reason]] as const };
    if (confirmed) for (const { product, quantity } of lines) this.#move(product, quantity);
    return this.orders.push({ ...order, ...traceOf(end, totalMinor) }) - 1;
  }

  cancel(number: number): Refusal {
    const order = this.order(number);
    if (order.state === 'FAILED') return 'ORDER_FAILED';
    if (order.state === 'CANCELLED') return '';
    if (order.shipment === 'HANDED_OVER') return 'SHIPMENT_HANDED_OVER';
    const reason = 'CANCELLED_BY_CALLER';
    for (const { product, quantity } of order.lines) this.#move(product, -quantity);
    this.rewrite(number, { state: 'CANCELLED', reason, refunds: order.captures, shipment: 'CANCELLED', changes: [...order.changes, ['CANCELLING', ''], ['CANCELLED', reason]] });
    return '';
  }

  handOver(number: number): Refusal {
    const { state, shipment } = this.order(number);
    if (shipment === 'HANDED_OVER') return '';
    if (shipment === 'CANCELLED') return 'SHIPMENT_CANCELLED';
    if (shipment !== 'SCHEDULED') return 'SHIPMENT_NOT_SCHEDULED';
    if (state !== 'CONFIRMED') return 'ORDER_NOT_CONFIRMED';
    this.rewrite(number, { shipment: 'HANDED_OVER' });
    return '';
  }

  /** Takes over what was seen of an order where more than one thing could be. */
  rewrite(number: number, seen: Partial<OrderModel>): void {
    this.orders[number] = { ...this.order(number), ...seen };
  }

  order(number: number): OrderModel {
    const order = this.orders[number];
    if (!order) throw new Error(`the model has no order ${number}`);
    return order;
  }

  stockOf(product: number): Piles {
    return this.products[product]?.stock ?? { available: 0, reserved: 0, sold: 0, received: 0 };
  }

  /** Sells pieces, or takes them back. */
  #move(product: number, quantity: number): void {
    const stock = this.stockOf(product);
    this.#change(product, { stock: { ...stock, available: stock.available - quantity, sold: stock.sold + quantity } });
  }

  #change(product: number, change: Partial<ProductModel>): void {
    this.products[product] = { priceMinor: 0, stock: undefined, ...this.products[product], ...change };
  }
}

/** Why there is not enough for an order; of several reasons the one of the first line counts. */
export function shortageOf(available: readonly (number | undefined)[], { lines }: Wanted): End | undefined {
  for (const { product, quantity } of lines) {
    const left = available[product];
    if (left === undefined) return 'STOCK_NOT_SET';
    if (left < quantity) return 'OUT_OF_STOCK';
  }
  return undefined;
}

/** Why an order fails for which there is enough. */
export function failureOf({ card, carrier }: Wanted): End | undefined {
  if (card === 'declined') return 'CARD_DECLINED';
  if (card === 'unknown') return 'PAYMENT_REJECTED';
  return carrier === 'refuses' ? 'CARRIER_REFUSED' : undefined;
}

/** What an order leaves behind at the card company and in shipping. */
function traceOf(end: End, totalMinor: number): Pick<OrderView, 'captures' | 'refunds' | 'shipment'> {
  if (end === 'CONFIRMED') return { captures: [totalMinor], refunds: [], shipment: 'SCHEDULED' };
  if (end === 'CARRIER_REFUSED') return { captures: [totalMinor], refunds: [totalMinor], shipment: 'REFUSED' };
  return { captures: [], refunds: [], shipment: NO_SHIPMENT };
}
