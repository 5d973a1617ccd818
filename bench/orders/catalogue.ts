/** What everybody sells: so many goods that orders rarely wait for each other at the stock of one. */
export const PRODUCT_IDS: readonly string[] = Array.from({ length: 200 }, (_, n) => `bench-${n}`);

/** Of each; no run comes near its end. */
export const STOCK = 1_000_000_000;

export const PRICE_MINOR = 1_250;
export const CURRENCY = 'EUR';
/** A UUID, so that a shop that is filled (fill-shop.ts) has other buyers in its copies. */
export const USER_ID = '01890a5d-ac96-774b-bcce-b302099a8057';
