/** What everybody sells: so many goods that orders rarely wait for each other at the stock of one. */
export const PRODUCT_IDS: readonly string[] = Array.from({ length: 200 }, (_, n) => `bench-${n}`);

/** Of each; no run comes near its end. */
export const STOCK = 1_000_000_000;

export const PRICE_MINOR = 1_250;
export const CURRENCY = 'EUR';
/**
 * Who buys: so many that orders rarely wait for each other at the row of one. UUIDs, so that a shop that is filled has other
 * buyers in its copies; they differ before the last 8 digits, which are a copy's own (fill-shop.ts).
 */
export const USER_IDS: readonly string[] = Array.from({ length: 1_000 }, (_, n) => `01890a5d-ac96-774b-${(0x8000 + n).toString(16)}-b302099a8057`);
