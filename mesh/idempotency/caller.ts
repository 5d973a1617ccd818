/**
 * Who a key belongs to: everybody, though callers have an identity. Keys that are stored belong to nobody, and so do those
 * that instances of the version before go on storing during a deployment: a repeat that looked under its caller's name would
 * not meet them, and would have the effect a second time. Before keys may have owners, a version must look for both.
 */
export const ANY_CALLER = '';
