import { expect } from 'chai';

import { type Clock, MeshError, type RetryHint } from '#kit';
import type { ClientCall, Invoke } from '#mesh';

import { createBudget } from '../../../mesh/client/budget.ts';
import { retries } from '../../../mesh/client/retries.ts';
import { DESTINATION_DEFAULTS } from '../../../mesh/policy/defaults.ts';
import { retryHintOf } from '../../../mesh/retry-hint.ts';
import { seededRandom } from '../../kit/support.ts';
import { failure, resendOptions, unaryCall } from './support/calls.ts';
import { createInstantClock } from './support/instant-clock.ts';

const HOPS = 4;
const CALLS = 2_000;

type HintOf = (error: MeshError) => RetryHint | undefined;

/** What a server makes of its handler's failure, and a stub of that answer. */
function answered(thrown: unknown, hop: number, hintOf: HintOf): MeshError {
  const { code, reason, message, ...error } = MeshError.from(thrown);
  const retry = hintOf(new MeshError(code, reason, message, error));
  return new MeshError(code, reason, message, { retry, answeredBy: { service: `hop-${hop}`, instance: undefined } });
}

/** Calls through four services, each with a stub and a budget of its own, of which the last always fails. Returns what reached each. */
async function loadOfHops(hintOf: HintOf, { calls = CALLS, budgeted = true } = {}): Promise<number[]> {
  const clock = createInstantClock();
  const reached = Array<number>(HOPS).fill(0);

  /** The stub of hop `hop`, and that hop behind it. */
  function stub(hop: number): Invoke<ClientCall> {
    const handler = hop + 1 < HOPS ? stub(hop + 1) : () => Promise.reject(failure('UNAVAILABLE'));
    const serve: Invoke<ClientCall> = (call) => {
      reached[hop] = (reached[hop] ?? 0) + 1;
      return handler(nested(call, clock)).catch((thrown: unknown) => Promise.reject(answered(thrown, hop, hintOf)));
    };
    const budget = createBudget({ current: { ...DESTINATION_DEFAULTS.budget, enabled: budgeted } }, clock);
    return retries(resendOptions(clock, { budget, random: seededRandom(hop) }))(serve);
  }

  const first = stub(0);
  for (let index = 0; index < calls; index += 1) {
    await first(unaryCall(clock)).catch(() => undefined);
    clock.advance(2);
  }
  return reached;
}

function nested({ deadline }: ClientCall, clock: Clock): ClientCall {
  return unaryCall(clock, { leftMs: deadline - clock.now() });
}

describe('four hops of which the last fails', () => {
  it('see at most 1.3 attempts a call at the last, and one at the others', async () => {
    const reached = await loadOfHops(retryHintOf);
    expect(reached.slice(0, 3)).to.deep.equal([CALLS, CALLS, CALLS]);
    expect(reached[3]).to.be.within(1.15 * CALLS, 1.3 * CALLS);
  });

  it('would see more than that if each hop tried again', async () => {
    const reached = await loadOfHops(({ retry }) => retry);
    expect(reached[3]).to.be.above(1.5 * CALLS);
  });

  it('would see 81 for each without a budget, and three with one layer alone', async () => {
    const unbounded = { calls: 10, budgeted: false };
    expect((await loadOfHops(({ retry }) => retry, unbounded))[3]).to.equal(810);
    expect((await loadOfHops(retryHintOf, unbounded))[3]).to.equal(30);
  });
});
