import type { ClientInterceptor } from '../call.ts';
import type { Method } from '../method.ts';
import { hedging } from './hedging.ts';
import type { HedgingOptions, ResendCounts } from './resend-options.ts';
import { retries } from './retries.ts';

export type ResendingOptions = Omit<HedgingOptions, 'counts'>;

/** What sends the calls of one method again. */
export interface Resending {
  readonly interceptor: ClientInterceptor;
  read(): Readonly<ResendCounts>;
}

/**
 * Hedging for unary methods whose contract allows it, which sends again what fails, too; retries for all others. Never one
 * around the other: their attempts would multiply.
 */
export function createResending(method: Method, options: ResendingOptions): Resending {
  const counts: ResendCounts = { retries: 0, hedges: 0, hedgesWon: 0, refusedByBudget: 0 };
  const hedged = method.hedged && method.idempotent && method.desc.methodKind === 'unary';
  return { interceptor: (hedged ? hedging : retries)({ ...options, counts }), read: () => counts };
}
