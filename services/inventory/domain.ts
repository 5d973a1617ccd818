import { refusal } from '#kit';

/** Pieces of one product. Each is in one of three piles, so they always add up to `received`. */
export interface Stock {
  readonly productId: string;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly sold: bigint;
  /** What SetStock has put in, less what it has taken out. */
  readonly received: bigint;
  readonly updateTime: Date;
}

export type Pile = 'available' | 'reserved' | 'sold';

export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** RESERVED -> COMMITTED, RELEASED or EXPIRED; COMMITTED -> RESTOCKED. */
export type ReservationState = 'RESERVED' | 'COMMITTED' | 'RELEASED' | 'RESTOCKED' | 'EXPIRED';

/** On which pile the goods of a reservation are. */
export const PILE_OF: Readonly<Record<ReservationState, Pile>> = {
  RESERVED: 'reserved',
  COMMITTED: 'sold',
  RELEASED: 'available',
  RESTOCKED: 'available',
  EXPIRED: 'available',
};

export interface Reservation {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly lines: readonly Line[];
  readonly createTime: Date;
  readonly expireTime: Date;
}

/** What became of a Reserve: its goods are set aside, the order had a reservation already, or there is not enough for one of its lines. */
export type ReserveOutcome =
  | { readonly kind: 'reserved'; readonly reservation: Reservation }
  | { readonly kind: 'repeat'; readonly reservation: Reservation }
  | { readonly kind: 'refused'; readonly line: Line; readonly isStockSet: boolean };

/** What Reserve answers: what it has set aside, now or before. */
export function requireReserved(outcome: ReserveOutcome | undefined, orderId: string, lines: readonly Line[]): Reservation {
  if (!outcome) throw notReserved(orderId);
  if (outcome.kind === 'reserved') return outcome.reservation;
  if (outcome.kind === 'repeat') return requireSameReservation(outcome.reservation, lines);
  const { productId, quantity } = outcome.line;
  const metadata = { product_id: productId };
  if (!outcome.isStockSet) throw refusal('STOCK_NOT_SET', `the stock of ${productId} was never set; set it first`, { metadata });
  throw refusal('OUT_OF_STOCK', `fewer than ${quantity} of ${productId} are left; order fewer`, { metadata });
}

/** A repeat of Reserve is answered with what the first one did, unless that was given back or asked for other goods. */
function requireSameReservation(reservation: Reservation, lines: readonly Line[]): Reservation {
  requireNotGivenBack(reservation);
  const wanted = new Map(lines.map((line) => [line.productId, line.quantity]));
  const same = wanted.size === reservation.lines.length && reservation.lines.every((line) => wanted.get(line.productId) === line.quantity);
  if (same) return reservation;
  throw refusal('IDEMPOTENCY_KEY_REUSED', `order ${reservation.orderId} has reserved other lines; use a new order_id`);
}

/** What Commit answers: a sale. */
export function requireCommitted(reservation: Reservation): Reservation {
  requireNotGivenBack(reservation);
  return reservation;
}

/** What Release answers: nothing is held any more, whoever gave it back. */
export function requireGivenBack(reservation: Reservation): Reservation {
  if (reservation.state !== 'COMMITTED') return reservation;
  throw refusal('RESERVATION_COMMITTED', `order ${reservation.orderId} is sold; it cannot be released any more`);
}

/** What Restock answers: a sale that was taken back. */
export function requireRestocked(reservation: Reservation): Reservation {
  if (reservation.state === 'RESTOCKED') return reservation;
  throw refusal('RESERVATION_NOT_COMMITTED', `order ${reservation.orderId} had sold nothing that could be taken back; release it instead`);
}

export function requireReservation(reservation: Reservation | undefined, orderId: string): Reservation {
  if (reservation) return reservation;
  throw notReserved(orderId);
}

function requireNotGivenBack({ orderId, state }: Reservation): void {
  if (state === 'EXPIRED') {
    throw refusal('RESERVATION_EXPIRED', `order ${orderId} was not confirmed in time and its goods were given back; place a new order`);
  }
  if (PILE_OF[state] === 'available') {
    throw refusal('RESERVATION_RELEASED', `order ${orderId} was ${state === 'RESTOCKED' ? 'taken back' : 'released'}; place a new order`);
  }
}

function notReserved(orderId: string): Error {
  return refusal('RESERVATION_NOT_FOUND', `order ${orderId} has reserved nothing; call Reserve first`, { metadata: { order_id: orderId } });
}
