import { getEventListeners } from 'node:events';

import { expect } from 'chai';

import { systemClock } from '#kit';

describe('the system clock', () => {
  it('sleeps as long as it is asked to', async () => {
    const started = performance.now();
    await systemClock.sleep(30);
    expect(performance.now() - started).to.be.within(28, 300);
  });

  it('wakes with the signal’s own reason, at once', async () => {
    const reason = new Error('enough');
    const over = new AbortController();
    const sleeping = systemClock.sleep(60_000, over.signal).catch((thrown: unknown) => thrown);
    over.abort(reason);
    expect(await sleeping).to.equal(reason);
    expect(await systemClock.sleep(60_000, over.signal).catch((thrown: unknown) => thrown)).to.equal(reason);
  });

  it('leaves no timer behind when it is woken', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const over = new AbortController();
    const sleeps = Array.from({ length: 20 }, () => systemClock.sleep(60_000, over.signal));
    expect(timers()).to.be.at.least(20);
    over.abort();
    await Promise.allSettled(sleeps);
    // Those of the test runner come and go.
    expect(timers()).to.be.at.most(before + 1);
  });

  it('leaves no listener on a signal that outlives the sleep', async () => {
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 20 }, () => systemClock.sleep(1, signal)));
    expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
  });
});
