/** Who buys, and what everybody sells. */
export interface Catalogue {
  readonly userIds: readonly string[];
  readonly productIds: readonly string[];
}

/** `quick` shows that it works, and not how fast. */
export type Extent = 'full' | 'quick';

/** In full so many buyers, and so many goods, that orders rarely wait for each other at the row of one. */
const SIZES = { full: { users: 1_000, products: 200 }, quick: { users: 20, products: 20 } } as const;

export function catalogueOf(extent: Extent): Catalogue {
  const { users, products } = SIZES[extent];
  return { userIds: Array.from({ length: users }, (_, n) => userId(n)), productIds: Array.from({ length: products }, (_, n) => `bench-${n}`) };
}

/**
 * A UUID, so that a shop that is filled has other buyers in its copies; they differ before the last 8 digits, which are a
 * copy's own (fill-shop.ts).
 */
function userId(n: number): string {
  return `01890a5d-ac96-774b-${(0x8000 + n).toString(16)}-b302099a8057`;
}

/** Of each; no run comes near its end. */
export const STOCK = 1_000_000_000;

export const PRICE_MINOR = 1_250;
export const CURRENCY = 'EUR';
