import { expect } from 'chai';

import { type Clock, silentLog } from '#kit';

import { createDefaultAction, type DefaultAction } from '../../../mesh/intentions/default-action.ts';
import { until } from '../../discovery/support/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { createKeeper, type Keeper } from './support/keeper.ts';

/** Whoever sleeps is woken by the test. */
function createStoppedClock() {
  const sleepers: { readonly ms: number; readonly wake: () => void }[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  return { clock, sleepers };
}

describe('what holds where no intention decides', () => {
  let defaultAction: DefaultAction;
  afterEach(() => defaultAction.stop());

  function follow(keeper: Keeper, log = silentLog) {
    const stopped = createStoppedClock();
    const seen: unknown[] = [];
    defaultAction = createDefaultAction({ setting: 'consul', store: keeper.store, clock: stopped.clock, log, onChange: () => seen.push(defaultAction.current) });
    return { ...stopped, seen };
  }

  it('is what the setting says, and nobody is asked', () => {
    const keeper = createKeeper();
    defaultAction = createDefaultAction({ setting: 'deny', store: keeper.store, clock: createStoppedClock().clock, log: silentLog, onChange: () => expect.fail() });
    expect(defaultAction.current).to.equal('deny');
    expect(keeper.defaultReads).to.equal(0);
  });

  it('is what the control plane says, read again once a minute', async () => {
    const keeper = createKeeper();
    const { sleepers, seen } = follow(keeper);
    await until('it was read', () => sleepers.length === 1);
    keeper.setDefault('deny');
    expect(sleepers[0]?.ms).to.equal(60_000);
    sleepers[0]?.wake();
    await until('it was read again', () => sleepers.length === 2);
    expect(seen).to.deep.equal(['allow', 'deny']);
  });

  it('is what was read last while the control plane is away, and read as soon as it is back', async () => {
    const keeper = createKeeper();
    const { sleepers } = follow(keeper);
    await until('it was read', () => sleepers.length === 1);
    keeper.setAway(true);
    keeper.setDefault('deny');
    defaultAction.suspect();
    await until('it could not be read', () => sleepers.length === 2);
    expect(defaultAction.current).to.equal('allow');
    expect(sleepers[1]?.ms).to.equal(2_000);
    keeper.setAway(false);
    sleepers[1]?.wake();
    await until('it was read', () => defaultAction.current === 'deny');
  });

  it('is deny where the control plane does not tell, which is said once', async () => {
    const keeper = createKeeper();
    keeper.setDefault(undefined);
    const { log, lines } = captureLog('warn');
    const { sleepers } = follow(keeper, log);
    await until('it was read', () => sleepers.length === 1);
    sleepers[0]?.wake();
    await until('it was read again', () => sleepers.length === 2);
    expect(defaultAction.current).to.equal('deny');
    expect(lines.map(({ msg }) => msg.includes('taken for deny'))).to.deep.equal([true]);
  });
});
