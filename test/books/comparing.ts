import { type BooksReport, compareBooks } from '../../cli/books/compare-books.ts';
import type { Difference } from '../../cli/books/difference.ts';
import type { Clock } from '#kit';
import { seededRandom } from '../kit/support.ts';
import { madeUpBooks, type MadeUpShop } from './made-up-books.ts';
import { type Fate, shopWith } from './made-up-orders.ts';

/** Time passes when somebody waits, and then something may happen. */
export function clockOf(onSleep: () => void = () => {}): Clock {
  return { now: () => 0, sleep: async () => onSleep() };
}

export function compare(shop: MadeUpShop, pageSize = 1_000): Promise<BooksReport> {
  return compareBooks(madeUpBooks(shop), { clock: clockOf(), pageSize });
}

/** Every difference and remark that is listed. */
export function found({ checks }: BooksReport): Difference[] {
  return checks.flatMap(({ listed, remarked }) => [...listed, ...remarked]);
}

/** Orders called `order-0`, `order-1` … */
export function shopOf(...fates: Fate[]): MadeUpShop {
  return shopWith(fates, seededRandom(1));
}
