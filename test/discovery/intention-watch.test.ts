import { expect } from 'chai';
import type { Intention } from '#discovery';
import { silentLog } from '#kit';

import { createIntentionWatch } from '../../discovery/consul/intention-watch.ts';
import { createOutage } from '../../discovery/consul/outage.ts';
import type { BlockingRead } from '../../discovery/consul/query.ts';
import { fixedRandom } from './support/fixed-random.ts';
import { createManualClock } from './support/manual-clock.ts';

const denied: Intention = { source: 'web', destination: 'pay', rule: { kind: 'action', action: 'deny' }, description: '', precedence: 9, index: 3 };

describe('the watch on intentions', () => {
  /** What a listener hears when Consul answers, for a while, that there is none. `confirming`: it is asked again. */
  async function hear(confirming: boolean): Promise<readonly number[]> {
    const clock = createManualClock();
    let isFalse = false;
    let index = 1;
    const intentionsOf = async (_: string, { fresh = false }: BlockingRead) => ({ index: (index += 1), value: isFalse && !(fresh && confirming) ? [] : [denied] });
    const outage = createOutage(silentLog, 'http://consul');
    const watch = createIntentionWatch('pay', { consul: { intentionsOf }, outage, clock, random: fixedRandom, waitMs: 1_000 });
    const heard: number[] = [];
    const subscription = watch.subscribe({ onValue: (list) => void heard.push(list.length), onError: () => undefined });
    await clock.advance(1_000);
    isFalse = true;
    await clock.advance(1_000);
    await subscription.stop();
    expect(clock.sleeping()).to.deep.equal([]);
    return heard;
  }

  it('does not believe that the last one is gone before a fresh read says so', async () => {
    expect(await hear(true)).to.deep.equal([1]);
    expect(await hear(false), 'without it everybody would be let in').to.deep.equal([1, 0]);
  });
});
