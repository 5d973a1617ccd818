/** The service as which this program calls others: intentions and access rules know people at a terminal by this name. */
export const OPERATOR = 'operator';

/** Who calls through the plaintext ports of a shop on one machine. */
export const EXPLORER = 'explorer';

/** Names of those that call and serve nothing, so that no registry has them. */
export const CALLERS_ONLY: readonly string[] = [OPERATOR, EXPLORER];
