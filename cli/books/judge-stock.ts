import type { StockInBooks } from './books.ts';
import type { Difference, DifferenceKind } from './difference.ts';

/** How a product's pieces differ from what was put in, and from what its reservations hold. */
export function judgeStock({ productId, available, reserved, sold, received, linesReserved, linesSold }: StockInBooks): Difference[] {
  const differs = (kind: DifferenceKind, says: string): Difference => ({ kind, about: 'product', id: productId, says, fails: true });
  const sum = available + reserved + sold;
  const negative = Object.entries({ available, reserved, sold, received }).filter(([, pieces]) => pieces < 0n);
  return [
    ...(sum === received
      ? []
      : [differs('pieces do not add up', `has ${available} available + ${reserved} reserved + ${sold} sold = ${sum}, and ${received} were received`)]),
    ...(reserved === linesReserved ? [] : [differs('reserved pieces differ', `has ${reserved} reserved, and its reservations hold ${linesReserved}`)]),
    ...(sold === linesSold ? [] : [differs('sold pieces differ', `has ${sold} sold, and its committed reservations ${linesSold}`)]),
    ...negative.map(([pile, pieces]) => differs('fewer than no pieces', `has ${pieces} ${pile}`)),
  ];
}
