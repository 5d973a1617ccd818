import { setImmediate as turnOfTheLoop } from 'node:timers/promises';

import { expect } from 'chai';
import { exportJWK, generateKeyPair } from 'jose';

import { silentLog } from '#kit';

import type { PublishedKey } from '../../../mesh/identity/import-keys.ts';
import { createTokenKeySet } from '../../../mesh/identity/token-key-set.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { until } from '../../database/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { createRuledClock } from '../support/ruled-clock.ts';

const MINUTE_MS = 60_000;

/** A service that publishes keys, and counts how often it is asked. Whoever sleeps by its clock wakes when a test says so. */
function createPublisher() {
  const ruled = createRuledClock();
  const sleepers = new Set<() => void>();
  const clock = {
    ...ruled,
    sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        const atMs = ruled.now() + ms;
        const wake = (): void => {
          if (ruled.now() < atMs) return;
          sleepers.delete(wake);
          resolve();
        };
        sleepers.add(wake);
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    advance(ms: number): void {
      ruled.advance(ms);
      for (const wake of sleepers) wake();
    },
  };
  const keys: PublishedKey[] = [];
  const state = { asked: 0, isAway: false };
  return {
    clock,
    keys,
    state,
    async publish(keyId: string) {
      const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
      const { x = '' } = await exportJWK(publicKey);
      keys.push({ keyId, x, expireTimeMs: clock.now() + 20 * MINUTE_MS });
    },
    async fetch() {
      state.asked += 1;
      if (state.isAway) throw new Error('away');
      return [...keys];
    },
  };
}

describe('the keys of access tokens', () => {
  it('are asked for when one is not known, and then no more for a minute', async () => {
    const publisher = createPublisher();
    await publisher.publish('first');
    const set = createTokenKeySet({ ...publisher, log: silentLog });
    const found = await Promise.all([set.find('first'), set.find('first')]);
    expect(found.every((key) => key?.type === 'public')).to.equal(true);
    publisher.clock.advance(MINUTE_MS - 1);
    await set.find('first');
    expect(publisher.state.asked).to.equal(1);
    publisher.clock.advance(1);
    await set.find('first');
    expect(publisher.state.asked).to.equal(2);
  });

  it('are found as soon as they are published', async () => {
    const publisher = createPublisher();
    await publisher.publish('first');
    const set = createTokenKeySet({ ...publisher, log: silentLog });
    await set.find('first');
    await publisher.publish('second');
    publisher.clock.advance(1_000);
    expect(await set.find('second')).not.to.equal(undefined);
  });

  it('are not asked for more than once a second, whatever forged tokens name', async () => {
    const publisher = createPublisher();
    const set = createTokenKeySet({ ...publisher, log: silentLog });
    expect(await set.find('forged')).to.equal(undefined);
    const others = Promise.all(Array.from({ length: 100 }, (_, count) => set.find(`forged-${count}`)));
    publisher.clock.advance(999);
    await turnOfTheLoop();
    expect(publisher.state.asked).to.equal(1);
    publisher.clock.advance(1);
    expect(new Set(await others)).to.deep.equal(new Set([undefined]));
    expect(publisher.state.asked).to.equal(2);
  });

  it('are found while forged tokens name others all the time', async () => {
    const publisher = createPublisher();
    const set = createTokenKeySet({ ...publisher, log: silentLog });
    await set.find('forged');
    for (let count = 0; count < 20; count += 1) {
      const forged = set.find(`forged-${count}`);
      publisher.clock.advance(5);
      await publisher.publish(`new-${count}`);
      const found = set.find(`new-${count}`);
      await turnOfTheLoop();
      publisher.clock.advance(1_000);
      expect([await forged, (await found)?.type]).to.deep.equal([undefined, 'public']);
    }
    expect(publisher.state.asked).to.equal(21);
  });

  it('are asked for again by whoever comes while an answer is on its way that may be older', async () => {
    const publisher = createPublisher();
    const { promise: isLetOn, resolve: letOn } = Promise.withResolvers<void>();
    const fetch = async (): Promise<readonly PublishedKey[]> => {
      const keys = await publisher.fetch();
      await isLetOn;
      return keys;
    };
    const set = createTokenKeySet({ ...publisher, fetch, log: silentLog });
    const first = set.find('first');
    await until('it is asked', () => publisher.state.asked === 1);
    await publisher.publish('second');
    const second = set.find('second');
    letOn();
    expect(await first).to.equal(undefined);
    publisher.clock.advance(1_000);
    expect(await second).not.to.equal(undefined);
  });

  it('are not waited for by more than 1,000 at once, nor when nobody needs them any more', async () => {
    const publisher = createPublisher();
    const leaving = new AbortController();
    const set = createTokenKeySet({ ...publisher, log: silentLog, signal: leaving.signal });
    await set.find('forged');
    const waiting = Array.from({ length: 1_000 }, (_, count) => expectRefusal('TOKEN_KEYS_UNKNOWN', set.find(`forged-${count}`)));
    await expectRefusal('TOKEN_KEYS_UNKNOWN', set.find('one-more'));
    leaving.abort();
    await Promise.all(waiting);
    await expectRefusal('TOKEN_KEYS_UNKNOWN', set.find('later'));
    expect(publisher.state.asked).to.equal(1);
  });

  it('are taken but for those that cannot be read, with one warning until all can', async () => {
    const publisher = createPublisher();
    const { log, lines } = captureLog('warn');
    const set = createTokenKeySet({ ...publisher, log });
    publisher.keys.push({ keyId: 'bad', x: 'x', expireTimeMs: publisher.clock.now() + 20 * MINUTE_MS });
    await publisher.publish('good');
    for (let round = 0; round < 2; round += 1) {
      expect(await set.find('good')).not.to.equal(undefined);
      publisher.clock.advance(1_000);
      expect(await set.find('bad')).to.equal(undefined);
      publisher.clock.advance(1_000);
    }
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ count: 1, msg: 'some published keys of access tokens cannot be read; tokens that they signed are refused' });
  });

  it('go on while nobody answers, with one warning, until they expire', async () => {
    const publisher = createPublisher();
    const { log, lines } = captureLog('warn');
    await publisher.publish('first');
    const set = createTokenKeySet({ ...publisher, log });
    await set.find('first');
    publisher.state.isAway = true;
    publisher.clock.advance(19 * MINUTE_MS);
    expect(await set.find('first')).not.to.equal(undefined);
    await until('it was asked in vain', () => lines.length === 1);
    publisher.clock.advance(MINUTE_MS);
    await expectRefusal('TOKEN_KEYS_UNKNOWN', set.find('first'));
    expect([publisher.state.asked, lines.length]).to.deep.equal([3, 1]);
  });

  it('are not said to be unknown while nobody answers: whoever has a good token is to try again in a second', async () => {
    const publisher = createPublisher();
    await publisher.publish('first');
    publisher.state.isAway = true;
    const set = createTokenKeySet({ ...publisher, log: silentLog });
    expect((await expectRefusal('TOKEN_KEYS_UNKNOWN', set.find('first'))).retry).to.deep.equal({ kind: 'not-started', afterMs: 1_000 });
    publisher.state.isAway = false;
    publisher.clock.advance(1_000);
    expect(await set.find('first')).not.to.equal(undefined);
    publisher.clock.advance(1_000);
    expect(await set.find('forged')).to.equal(undefined);
  });

  it('are gone a minute after they were taken back', async () => {
    const publisher = createPublisher();
    await publisher.publish('stolen');
    const stolenMs = publisher.clock.now();
    const set = createTokenKeySet({ ...publisher, log: silentLog });
    await set.find('stolen');
    publisher.keys.length = 0;
    publisher.clock.advance(MINUTE_MS);
    await until('it is gone', async () => {
      const found = set.find('stolen');
      await turnOfTheLoop();
      // For one that is gone already the next question comes a second later.
      publisher.clock.advance(1_000);
      return (await found) === undefined;
    });
    expect(publisher.clock.now() - stolenMs).to.be.at.most(MINUTE_MS + 5_000);
  });

  it('are asked for also when the clock was set back', async () => {
    const publisher = createPublisher();
    const set = createTokenKeySet({ ...publisher, log: silentLog });
    await set.find('first');
    publisher.clock.advance(-60 * MINUTE_MS);
    await publisher.publish('first');
    expect(await set.find('first')).not.to.equal(undefined);
  });
});
