import { expect } from 'chai';
import { silentLog } from '#kit';

import type { IssuedLeaf } from '../../discovery/agent/ca-records.ts';
import { createLeafCache, type LeafCache } from '../../discovery/agent/leaf-cache.ts';
import { fixedRandom } from './support/fixed-random.ts';
import { createManualClock, type ManualClock } from './support/manual-clock.ts';
import { until } from './support/until.ts';

const HOUR_MS = 3_600_000;

describe('the leaves that the embedded agent keeps', () => {
  let clock: ManualClock;
  let cache: LeafCache;
  let issuing: PromiseWithResolvers<void>;
  /** The root that signs. */
  let root: string;

  beforeEach(() => {
    clock = createManualClock();
    issuing = Promise.withResolvers();
    root = 'old';
    let index = 1;
    const issue = async (service: string): Promise<IssuedLeaf> => {
      const leaf = { service, spiffeId: '', serialNumber: '', chainPem: root, keyPem: '', notBeforeMs: clock.now(), notAfterMs: clock.now() + 72 * HOUR_MS };
      await issuing.promise;
      return leaf;
    };
    cache = createLeafCache({ issue, clock, random: fixedRandom, log: silentLog, nextIndex: () => (index += 1), changed: () => {} });
  });
  afterEach(() => cache.stop());

  function rotate(): void {
    root = 'new';
    cache.renewAll();
    issuing.resolve();
  }

  it('renew one that was being made when another root began to sign', async () => {
    const asked = cache.of('order');
    rotate();
    expect((await asked).chainPem).to.equal('old');
    await clock.advance(2_000);
    await until('it is renewed', async () => (await cache.of('order')).chainPem === 'new');
  });

  it('give none of the root before to who asks after the rotation', async () => {
    const before = cache.of('order');
    root = 'new';
    cache.renewAll();
    const after = cache.freshOf('order');
    issuing.resolve();
    expect([(await before).chainPem, (await after).chainPem]).to.deep.equal(['old', 'new']);
  });
});
