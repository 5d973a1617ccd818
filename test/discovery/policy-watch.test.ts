import { expect } from 'chai';
import type { Policy } from '#discovery';
import { silentLog } from '#kit';

import { createOutage } from '../../discovery/consul/outage.ts';
import { createPolicyWatch } from '../../discovery/consul/policy-watch.ts';
import type { BlockingRead } from '../../discovery/consul/query.ts';
import { fixedRandom } from './support/fixed-random.ts';
import { createManualClock } from './support/manual-clock.ts';

const flag: Policy = { key: 'flags/a', value: 'on', index: 3 };

describe('the watch on policies', () => {
  it('believes that the last one is gone once a fresh read says so, and then at once', async () => {
    const clock = createManualClock();
    const answers = { blocking: [flag] as Policy[], fresh: [flag] as Policy[] };
    let index = 1;
    const consul = {
      policies: async (_: string, { fresh }: BlockingRead) => ({ index: (index += 1), value: fresh ? answers.fresh : answers.blocking }),
    };
    const outage = createOutage(silentLog, 'http://consul');
    const watch = createPolicyWatch('flags/', { consul, outage, clock, random: fixedRandom, waitMs: 1_000 });
    const heard: string[] = [];
    const subscription = watch.subscribe({ onValue: (list) => void heard.push(list.map(({ key }) => key).join()), onError: () => undefined });
    await clock.advance(1_000);
    answers.blocking = [];
    await clock.advance(1_000);
    expect(heard).to.deep.equal(['flags/a']);
    answers.fresh = [];
    await clock.advance(200);
    await subscription.stop();
    expect(heard).to.deep.equal(['flags/a', '']);
    expect(clock.sleeping()).to.deep.equal([]);
  });
});
