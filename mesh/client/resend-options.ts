import type { Clock, Random } from '#kit';

import type { Live, MethodPolicy } from '../policy/call-policy.ts';
import type { RetryBudget } from './budget.ts';
import type { Schedule } from './schedule.ts';

/** What sending a call again was good for, of one method. */
export interface ResendCounts {
  /** Attempts that followed a failed one. */
  retries: number;
  /** Attempts that went out while another was on its way. */
  hedges: number;
  /** Hedges whose answer was the call's. */
  hedgesWon: number;
  /** Attempts that were wanted and not paid for. */
  refusedByBudget: number;
}

/** What retries and hedging of one method work with. */
export interface ResendOptions {
  readonly policy: Live<MethodPolicy>;
  /** That of the destination, which all of its methods share. */
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly random: Random;
  readonly schedule: Schedule;
  /** Counted up here. */
  readonly counts: ResendCounts;
}

export interface HedgingOptions extends ResendOptions {
  /** Whether the destination has more than one instance that can be called. */
  readonly hasOthers: () => boolean;
}
