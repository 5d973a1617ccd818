import type { ClientCall, Invoke } from '#mesh';

import type { RetryBudget } from '../../../../mesh/client/budget.ts';
import { hedging } from '../../../../mesh/client/hedging.ts';
import type { ResendCounts } from '../../../../mesh/client/resend-options.ts';
import type { MethodPolicy } from '../../../../mesh/policy/call-policy.ts';
import { answer, boundless, noCounts, policyWith, resendOptions, unaryCall } from './calls.ts';
import { type HeldTransport, heldTransport } from './held-transport.ts';
import { createInstantClock, type InstantClock } from './instant-clock.ts';
import { createRuledSchedule, type RuledSchedule } from './ruled-schedule.ts';

/** The hedging of one method, with everything around it ruled by a test. */
export interface HedgingBench {
  readonly clock: InstantClock;
  readonly timers: RuledSchedule;
  readonly counts: ResendCounts;
  readonly policy: { current: MethodPolicy };
  readonly held: HeldTransport;
  readonly send: Invoke<ClientCall>;
  /** So many calls whose answers take so long; other calls are answered when the test says so. */
  answersIn(latencyMs: number, times: number): Promise<void>;
}

export function createHedgingBench(budget: RetryBudget = boundless(), hasOthers = (): boolean => true): HedgingBench {
  const clock = createInstantClock();
  const timers = createRuledSchedule();
  const counts = noCounts();
  const policy = policyWith({});
  const held = heldTransport();
  let transport = held.invoke;
  const options = resendOptions(clock, { counts, schedule: timers.schedule, policy, budget, hasOthers });
  const send = hedging(options)((call) => transport(call));
  return {
    clock,
    timers,
    counts,
    policy,
    held,
    send,
    async answersIn(latencyMs, times) {
      transport = async () => {
        clock.advance(latencyMs);
        return answer();
      };
      for (let index = 0; index < times; index += 1) await send(unaryCall(clock));
      transport = held.invoke;
    },
  };
}

/** One that has measured a hundred answers of 20 ms. */
export async function createWarmHedgingBench(budget?: RetryBudget): Promise<HedgingBench> {
  const bench = createHedgingBench(budget);
  await bench.answersIn(20, 100);
  return bench;
}
