import { refusal } from '#kit';

/** Pieces of one product. */
export interface Stock {
  readonly productId: string;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly sold: bigint;
  readonly updateTime: Date;
}

export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** RESERVED -> COMMITTED or RELEASED; both are final. */
export type ReservationState = 'RESERVED' | 'COMMITTED' | 'RELEASED';

export interface Reservation {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly lines: readonly Line[];
  readonly createTime: Date;
}

/** Refuses unless every line was known and there was enough of it. */
export function requireAllTaken(lines: readonly Line[], taken: readonly { productId: string; enough: boolean }[]): void {
  const enough = new Map(taken.map((entry) => [entry.productId, entry.enough]));
  for (const { productId, quantity } of lines) {
    const metadata = { product_id: productId };
    if (!enough.has(productId)) throw refusal('PRODUCT_NOT_FOUND', `there is no product ${productId}; set its stock first`, { metadata });
    if (!enough.get(productId)) throw refusal('OUT_OF_STOCK', `fewer than ${quantity} of ${productId} are left; order fewer`, { metadata });
  }
}

/** A repeat of Reserve is answered with what the first one did, unless that was given back or asked for other goods. */
export function requireSameReservation(reservation: Reservation, lines: readonly Line[]): Reservation {
  if (reservation.state === 'RELEASED') {
    throw refusal('RESERVATION_RELEASED', `order ${reservation.orderId} was released; place a new order`);
  }
  const wanted = new Map(lines.map((line) => [line.productId, line.quantity]));
  const same = wanted.size === reservation.lines.length && reservation.lines.every((line) => wanted.get(line.productId) === line.quantity);
  if (same) return reservation;
  throw refusal('IDEMPOTENCY_KEY_REUSED', `order ${reservation.orderId} has reserved other lines; use a new order_id`);
}
