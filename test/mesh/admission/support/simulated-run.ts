import type { Invoke, ServerCall } from '../../../../mesh/call.ts';
import type { Method } from '../../../../mesh/method.ts';
import type { Admission as AdmissionPolicy } from '../../../../mesh/policy/call-policy.ts';
import { type Admission, createAdmission } from '../../../../mesh/server/admission/admission.ts';
import type { LoopTurn } from '../../../../mesh/server/admission/loop-turn.ts';
import { seededRandom } from '../../../kit/support.ts';
import { methodOf, policyOf } from './calls.ts';
import { type Load, type Outcome, send } from './load.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';

/** The event loop of a process that only waits. */
export const idleLoop: LoopTurn = { ageMs: () => 0 };

export interface SimulatedRun {
  readonly time: VirtualTime;
  readonly admission: Admission;
  /** A share of 0 to 1, another each time. */
  readonly chance: () => number;
  /** Sends a load to a handler behind the admission; every load has its own method. */
  load(handler: Invoke<ServerCall>, load: Pick<Load, 'perSecond' | 'fromMs' | 'untilMs'> & Partial<Load>): Outcome;
}

/** One service behind its admission, and nothing random that is not the same in every run. */
export function simulate(policy: Partial<AdmissionPolicy> = {}, turn: (time: VirtualTime) => LoopTurn = () => idleLoop): SimulatedRun {
  const time = createVirtualTime();
  const random = seededRandom(7);
  const admission = createAdmission({ policy: policyOf(policy), clock: time.clock, random, turn: turn(time) });
  return {
    time,
    admission,
    chance: random.number,
    load(handler, load) {
      const method: Method = load.method ?? methodOf();
      return send({ time, random, timeoutMs: 500, serve: admission.link(method)(handler), ...load, method });
    },
  };
}
