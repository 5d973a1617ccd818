import type { OrderFacts, OrderInBooks } from './books.ts';
import type { Difference } from './difference.ts';
import { differenceOf } from './judge-money.ts';

type Lines = OrderInBooks['lines'];

/** The goods of a confirmed order: sold, as many as its lines say. */
export function judgeSoldGoods(facts: OrderFacts, { lines }: OrderInBooks): Difference[] {
  const differs = differenceOf(facts);
  const { reservation } = facts;
  if (!reservation) return [differs('reservation differs', 'is CONFIRMED and has no reservation')];
  if (reservation.state !== 'COMMITTED') return [differs('reservation differs', `is CONFIRMED and its reservation is ${reservation.state}`)];
  const [ordered, sold] = [piecesOf(lines), piecesOf(reservation.lines)];
  return ordered === sold ? [] : [differs('reserved other lines', `is for ${ordered}, and ${sold || 'nothing'} was sold for it`)];
}

/** The goods of an order that FAILED or was CANCELLED: all back on the shelf. */
export function judgeGoodsGivenBack(facts: OrderFacts, { state }: OrderInBooks): Difference[] {
  const held = facts.reservation?.state;
  if (held !== 'RESERVED' && held !== 'COMMITTED') return [];
  return [differenceOf(facts)('reservation differs', `is ${state} and its reservation is ${held}`)];
}

/** Such as `2 beans, 1 grinder`, whatever the order of the lines. */
function piecesOf(lines: Lines): string {
  const pieces = new Map<string, number>();
  for (const { productId, quantity } of lines) pieces.set(productId, (pieces.get(productId) ?? 0) + quantity);
  return [...pieces]
    .map(([productId, quantity]) => `${quantity} ${productId}`)
    .sort()
    .join(', ');
}
