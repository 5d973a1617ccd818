import type { DifferenceKind } from '../../cli/books/difference.ts';
import type { MadeUpShop } from './made-up-books.ts';
import type { Fate } from './made-up-orders.ts';

/** One way to spoil the books about an order, and what is then to be found about it. */
export interface Spoiling {
  readonly what: string;
  /** Of the orders that it can be done to. */
  readonly fates: readonly Fate[];
  readonly spoil: (shop: MadeUpShop, orderId: string) => void;
  readonly finds: readonly DifferenceKind[];
}

export const SOLD: readonly Fate[] = ['confirmed', 'handed over'];
export const GIVEN_BACK: readonly Fate[] = ['cancelled', 'refused by the carrier'];
export const UNSOLD: readonly Fate[] = [...GIVEN_BACK, 'declined', 'out of stock'];

/** Of a book that names orders. */
type Entry = { readonly orderId: string };

/** A book without its entries about an order. */
export function without<T extends Entry>(entries: readonly T[], orderId: string): T[] {
  return entries.filter((entry) => entry.orderId !== orderId);
}

/** A book whose entries about an order have been changed. */
export function changed<T extends Entry>(entries: readonly T[], orderId: string, change: Partial<T>): T[] {
  return entries.map((entry) => (entry.orderId === orderId ? { ...entry, ...change } : entry));
}
