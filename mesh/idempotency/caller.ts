/** Who a key belongs to. Callers have no identity yet, so all of them share one space of keys. */
export const ANY_CALLER = '';
