import type { Clock } from '#kit';

import type { Budget, Live } from '../policy/call-policy.ts';

/** How long what calls pay in keeps its worth, and how many seconds' worth of the fixed part are kept. */
const MEMORY_MS = 1_000;

/** What one further attempt costs; a call pays in `percent` of it. Whole numbers, so that five times 20 are exactly one attempt. */
const PRICE = 100;

export interface BudgetCounts {
  /** Attempts that were paid for; those whose price was given back stay counted, for a total must not fall. */
  readonly taken: number;
  readonly refused: number;
}

/** What may be spent on further attempts at one destination. */
export interface RetryBudget {
  /** Once for each call, not for each attempt. */
  deposit(): void;
  /** Takes a deposit back: the call never left this process, so it bears no further attempts. */
  revoke(): void;
  /** Whether one more attempt may be sent; it is paid for then. */
  tryWithdraw(): boolean;
  /** Gives back what an attempt cost that never left this process. */
  refund(): void;
  read(): BudgetCounts;
}

/**
 * Bounds what retries and hedges add to the load of a destination, however many callers try again at once. Limits per
 * call cannot: when everything fails, three attempts each are three times the load on what has just broken.
 *
 * Two purses. One gets a share of the calls (20 %: 1,000 calls/s pay for 200 further attempts/s); what is not spent
 * fades within about a second, so after a quiet hour there is as much as after a quiet second: at most 200 at once.
 * The other fills at a fixed rate (10/s) up to a second's worth (10), for destinations that are hardly called. In all:
 * attempts <= calls * 1.2 + 10/s * time + 10.
 *
 * Modelled on Linkerd's retry budget (https://linkerd.io/2/features/retries-and-timeouts/: share, floor, ttl 10 s). The
 * memory is shorter here: ten quiet seconds would allow two seconds of doubled load when a failure begins.
 */
export function createBudget(policy: Live<Budget>, clock: Clock): RetryBudget {
  let share = 0;
  let fixed = policy.current.perSecond * PRICE;
  let at = clock.now();
  let taken = 0;
  let refused = 0;

  /** Lets the time pass that has passed; a clock that was set back stands still. */
  function settle(): void {
    const now = clock.now();
    if (now === at) return;
    const passedMs = Math.max(0, now - at);
    at = now;
    const { perSecond } = policy.current;
    share *= Math.exp(-passedMs / MEMORY_MS);
    fixed = Math.min((perSecond * PRICE * MEMORY_MS) / 1_000, fixed + (perSecond * PRICE * passedMs) / 1_000);
  }

  function pay(): boolean {
    settle();
    if (share + fixed < PRICE) return false;
    const fromShare = Math.min(share, PRICE);
    share -= fromShare;
    fixed -= PRICE - fromShare;
    return true;
  }

  return {
    deposit() {
      settle();
      share += policy.current.percent;
    },
    revoke() {
      share = Math.max(0, share - policy.current.percent);
    },
    refund() {
      // To the purse that fades, whichever paid: what comes back late is worth less, never more.
      if (policy.current.enabled) share += PRICE;
    },
    tryWithdraw() {
      const paid = !policy.current.enabled || pay();
      if (paid) taken += 1;
      else refused += 1;
      return paid;
    },
    read: () => ({ taken, refused }),
  };
}
