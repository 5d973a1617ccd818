import { expect } from 'chai';

import { answerAfter, answerInTime, createWorkerPool } from './support/simulated-service.ts';
import { simulate } from './support/simulated-run.ts';

/** Slow calls that wait for something else need many places, and fewer would help nobody. */
describe('the limit of a service that waits', () => {
  it('makes room for a call that is slow from now on: another service takes 200 ms instead of 10', async () => {
    const { time, load } = simulate();
    const handler = answerAfter(() => time.clock.sleep(time.clock.now() < 2_000 ? 10 : 200));
    const outcome = load(handler, { perSecond: 500, fromMs: 0, untilMs: 10_000, timeoutMs: 2_000 });
    await time.run(11_000);
    expect(outcome.goodput(0, 2)).to.equal(1);
    expect(outcome.goodput(2, 3)).to.be.above(0.6);
    expect(outcome.goodput(3, 10)).to.equal(1);
  });

  it('grows to hundreds of calls that take a second by design', async () => {
    const { time, load } = simulate();
    const outcome = load(answerAfter(() => time.clock.sleep(1_000)), { perSecond: 400, fromMs: 0, untilMs: 12_000, timeoutMs: 5_000 });
    await time.run(13_000);
    expect(outcome.goodput(7, 12)).to.equal(1);
  });

  it('does not take an order of 500 ms for a slow look-up of 1 ms, nor the other way round', async () => {
    const { time, load } = simulate();
    const pool = createWorkerPool(time, 10);
    const lookUps = load(answerAfter(() => pool.work(1)), { perSecond: 1_000, fromMs: 0, untilMs: 8_000 });
    const orders = load(answerAfter(() => time.clock.sleep(500)), { perSecond: 300, fromMs: 0, untilMs: 8_000, timeoutMs: 5_000 });
    await time.run(9_000);
    expect(lookUps.goodput(2, 8)).to.equal(1);
    expect(orders.goodput(2, 8)).to.equal(1);
  });

  it('does not let calls to somebody who answers nobody starve the others', async () => {
    const { time, load } = simulate();
    const others = load(answerAfter(() => time.clock.sleep(1)), { perSecond: 500, fromMs: 0, untilMs: 12_000 });
    const lost = answerInTime(time, () => time.clock.sleep(time.clock.now() < 2_000 ? 10 : 1e9));
    load(lost, { perSecond: 50, fromMs: 0, untilMs: 12_000, timeoutMs: 5_000 });
    await time.run(12_000);
    expect(others.goodput(0, 12)).to.be.above(0.85);
  });

  it('is not eaten up by handlers that never end', async () => {
    const { time, load, admission } = simulate({ maxLimit: 150 });
    const others = load(answerAfter(() => time.clock.sleep(1)), { perSecond: 100, fromMs: 0, untilMs: 40_000 });
    load(answerAfter(() => new Promise(() => {})), { perSecond: 10, fromMs: 0, untilMs: 40_000 });
    await time.run(41_000);
    expect(others.goodput(20, 40)).to.be.above(0.95);
    expect(admission.read().abandoned).to.be.above(200);
  });

  it('stays where it is while nothing happens', async () => {
    const { time, load, admission } = simulate();
    load(answerAfter(() => time.clock.sleep(1)), { perSecond: 1, fromMs: 0, untilMs: 600_000 });
    await time.run(600_000);
    expect(admission.read()).to.include({ limit: 64, inFlight: 0, shed: 0 });
  });

  it('comes down again once the many places are not needed, and so is ready for an overload', async () => {
    const { time, load, admission } = simulate();
    const pool = createWorkerPool(time, 10);
    const handler = answerAfter(() => (time.clock.now() < 4_000 ? time.clock.sleep(500) : pool.work(10)));
    load(handler, { perSecond: 500, fromMs: 0, untilMs: 12_000, timeoutMs: 2_000 });
    await time.run(4_000);
    expect(admission.read().limit).to.be.above(200);
    await time.run(12_000);
    expect(admission.read().limit).to.equal(64);
    const overload = load(handler, { perSecond: 2_000, fromMs: 12_000, untilMs: 16_000 });
    await time.run(17_000);
    expect(overload.worst(12, 16, 1_000)).to.be.at.least(0.8);
  });
});
