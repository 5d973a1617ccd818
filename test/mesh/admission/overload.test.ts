import { expect } from 'chai';

import type { Admission } from '../../../mesh/policy/call-policy.ts';
import type { Outcome } from './support/load.ts';
import { answerAfter, createWorkerPool, type WorkerPool } from './support/simulated-service.ts';
import { idleLoop, simulate, type SimulatedRun } from './support/simulated-run.ts';
import { createSingleThread, type SingleThread } from './support/single-thread.ts';

const OFF: Partial<Admission> = { enabled: false };
const SERVICE_MS = 10;

/** Calls of 10 ms for so many workers, `timeoutMs` 500. */
function withWorkers(workers: number, policy?: Partial<Admission>): SimulatedRun & { readonly pool: WorkerPool; offer(perSecond: number, fromMs: number, untilMs: number): Outcome } {
  const run = simulate(policy);
  const pool = createWorkerPool(run.time, workers);
  const handler = answerAfter(() => pool.work(SERVICE_MS));
  return { ...run, pool, offer: (perSecond, fromMs, untilMs) => run.load(handler, { perSecond, fromMs, untilMs }) };
}

describe('twice the load that a service can bear', () => {
  for (const [workers, seconds] of [
    [2, 30],
    [10, 8],
  ] as const) {
    const capacity = (workers * 1_000) / SERVICE_MS;
    const until = 2 + seconds;

    it(`leaves ${workers} workers as useful as they can be, for ${seconds} s`, async () => {
      const { time, offer } = withWorkers(workers);
      offer(capacity * 0.7, 0, 2_000);
      const overload = offer(capacity * 2, 2_000, until * 1_000);
      await time.run(until * 1_000);
      expect(overload.worst(2, until - 1, capacity)).to.be.at.least(0.8);
      expect(overload.goodput(2, until - 1, capacity)).to.be.at.least(0.95);
    });

    it(`would make ${workers} workers useless within two seconds`, async () => {
      const { time, offer } = withWorkers(workers, OFF);
      const overload = offer(capacity * 2, 0, 4_000);
      await time.run(12_000);
      expect(overload.goodput(2, 4, capacity)).to.equal(0);
    });
  }

  it('is borne from the first call on too, when nobody knows how fast calls are at ease', async () => {
    const { time, offer, admission } = withWorkers(10);
    const overload = offer(2_000, 0, 6_000);
    await time.run(6_000);
    expect(overload.worst(0, 5, 1_000)).to.be.at.least(0.8);
    expect(admission.read().limit).to.be.within(15, 40);
  });

  it('is borne when the clock is set back by an hour just before', async () => {
    const { time, offer, admission } = withWorkers(2);
    offer(140, 0, 2_000);
    time.after(2_000, () => time.setBack(3_600_000));
    const overload = offer(400, 2_000, 8_000);
    await time.run(8_000);
    expect(admission.read().limit).to.be.below(32);
    expect(overload.worst(2, 7, 200)).to.be.at.least(0.8);
  });

  it('is borne where calls take times that differ', async () => {
    const { time, chance, load } = simulate();
    const pool = createWorkerPool(time, 10);
    const handler = answerAfter(() => pool.work(-Math.log(1 - chance()) * SERVICE_MS));
    const overload = load(handler, { perSecond: 3_000, fromMs: 0, untilMs: 5_000 });
    await time.run(5_000);
    expect(overload.worst(0, 4, 1_000)).to.be.at.least(0.8);
  });
});

describe('twice the load, from callers who have time', () => {
  for (const timeoutMs of [2_000, 5_000]) {
    it(`is borne with ${timeoutMs / 1_000} s each, though calls may wait for longer where the line is new`, async () => {
      const { time, load } = simulate();
      const pool = createWorkerPool(time, 10);
      const overload = load(answerAfter(() => pool.work(100)), { perSecond: 200, fromMs: 0, untilMs: 15_000, timeoutMs });
      await time.run(25_000);
      // The first trial takes until then.
      expect(overload.worst(2, 14, 100)).to.be.at.least(0.8);
      expect(overload.goodput(2, 14, 100)).to.be.at.least(0.95);
    });
  }
});

describe('200 calls at once for ten workers of 100 ms', () => {
  it('are all answered, burst by burst, for they are done in two seconds', async () => {
    const { time, load, admission } = simulate();
    const pool = createWorkerPool(time, 10);
    for (let second = 0; second < 12; second += 3) {
      const fromMs = second * 1_000;
      const burst = load(answerAfter(() => pool.work(100)), { perSecond: 1e6, fromMs, untilMs: fromMs + 0.2, timeoutMs: 5_000 });
      await time.run(fromMs + 3_000);
      expect(burst.goodput(second, second + 1)).to.equal(1);
    }
    expect(admission.read()).to.include({ shed: 0, inFlight: 0, queued: 0 });
  });
});

describe('a stall of 2 s at 70 % load', () => {
  async function stallAt(second: number, policy?: Partial<Admission>): Promise<Outcome> {
    const { time, pool, offer } = withWorkers(10, policy);
    const outcome = offer(700, 0, 12_000);
    time.after(second * 1_000, () => pool.stall(2_000));
    await time.run(14_000);
    return outcome;
  }

  it('is over within a second of its end', async () => {
    expect((await stallAt(2)).worst(5, 12)).to.be.at.least(0.95);
  });

  it('would leave everybody late for three more', async () => {
    expect((await stallAt(2, OFF)).goodput(4, 7)).to.be.below(0.2);
  });
});

describe('handlers that compute', () => {
  /** No two of them are ever at work at once: they stand in the socket. Each refusal costs time as well. */
  function computing(perSecond: number, policy?: Partial<Admission>, watched = true): SimulatedRun & { readonly outcome: Outcome } {
    let thread: SingleThread | undefined;
    const run = simulate(policy, (time) => {
      thread = createSingleThread(time);
      return watched ? thread.turn : idleLoop;
    });
    const { spend } = run.time;
    const handler = answerAfter(async () => spend(SERVICE_MS));
    const carry = (deliver: () => void): void => {
      thread?.receive(() => {
        spend(0.2);
        deliver();
      });
    };
    return { ...run, outcome: run.load(handler, { perSecond, fromMs: 0, untilMs: 10_000, carry }) };
  }

  it('are useful at twice the load, because the loop is not kept from what came later', async () => {
    const { time, outcome, admission } = computing(200);
    await time.run(11_000);
    expect(outcome.worst(0, 10, 100)).to.be.at.least(0.8);
    expect(admission.read().shed).to.be.above(500);
  });

  it('would be useless after seconds without a limit', async () => {
    const { time, outcome } = computing(200, OFF);
    await time.run(30_000);
    expect(outcome.goodput(2, 10, 100)).to.be.below(0.1);
  });

  it('would be useless with a limit only for calls at work, which are never more than one', async () => {
    const { time, outcome } = computing(200, {}, false);
    await time.run(30_000);
    expect(outcome.goodput(2, 10, 100)).to.be.below(0.1);
  });

  it('are left alone at 70 % load', async () => {
    const { time, outcome, admission } = computing(70);
    await time.run(11_000);
    expect(outcome.goodput(0, 10)).to.equal(1);
    expect(admission.read().shed).to.equal(0);
  });
});
