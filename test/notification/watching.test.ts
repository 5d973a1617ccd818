import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import type { Database } from '#database';
import { type Clock, silentLog, systemClock } from '#kit';

import type { Notification } from '../../services/notification/domain.ts';
import { concludeAll } from '../../services/notification/mail-queue.ts';
import { createNotificationWatcher, type NotificationWatcher } from '../../services/notification/watching.ts';
import { until } from '../database/until.ts';
import { type NotificationFixture, placed, startNotificationFixture } from './notification-fixture.ts';

describe('watching notifications', () => {
  let fixture: NotificationFixture;
  let watcher: NotificationWatcher;
  let looks: number;
  let pauses: number;
  let userId: string;
  before(async function () {
    this.timeout(20_000);
    fixture = await startNotificationFixture();
  });
  beforeEach(() => {
    userId = randomUUID();
    looks = 0;
    pauses = 0;
    const counting: Database = {
      ...fixture.database,
      query(statement, values) {
        if (statement.name === 'notification.last_sequences') looks += 1;
        return fixture.database.query(statement, values);
      },
    };
    // Looks again at once, so that the tests need not wait.
    const fast: Clock = {
      ...systemClock,
      sleep(_ms, signal) {
        pauses += 1;
        return systemClock.sleep(10, signal);
      },
    };
    watcher = createNotificationWatcher(counting, fast, silentLog);
  });
  afterEach(async () => {
    await watcher.stop();
    await fixture.reset();
  });
  after(() => fixture?.remove());

  const tell = (): Promise<void> => fixture.deliver(placed(randomUUID(), userId));

  /** What a stream has brought so far, as `sequence state`. */
  function follow(afterSequence = 0n, who = userId): { readonly seen: string[]; end(): Promise<void> } {
    const caller = new AbortController();
    const seen: string[] = [];
    const streaming = (async () => {
      for await (const { sequence, state } of watcher.watch(who, afterSequence, caller.signal)) seen.push(`${sequence} ${state}`);
    })();
    return {
      seen,
      end() {
        caller.abort();
        return streaming;
      },
    };
  }

  it('brings those that have been written and those that will be', async () => {
    await tell();
    const stream = follow();
    await until('the first is there', () => stream.seen.length === 1);
    await tell();
    await until('the second is there', () => stream.seen.length === 2);
    expect(stream.seen).to.deep.equal(['1 PENDING', '2 PENDING']);
    await stream.end();
  });

  it('brings one again when its state has changed, as it is by then', async () => {
    await tell();
    const stream = follow();
    await until('it is there', () => stream.seen.length === 1);
    const [{ notificationId } = { notificationId: '' }] = await fixture.notificationsOf(userId);
    await concludeAll(fixture.database, [{ held: { notificationId, fence: 0n }, state: 'SENT', reason: '' }]);
    await until('it is there again', () => stream.seen.length === 2);
    expect(stream.seen).to.deep.equal(['1 PENDING', '2 SENT']);
    await stream.end();
    const late = follow();
    await until('a late one sees it once', () => late.seen.length === 1);
    expect(late.seen).to.deep.equal(['2 SENT']);
    await late.end();
  });

  it('goes on where it was left, and brings nothing twice', async () => {
    for (let times = 0; times < 3; times += 1) await tell();
    const stream = follow(2n);
    await until('the third is there', () => stream.seen.length === 1);
    await tell();
    await until('the fourth is there', () => stream.seen.length === 2);
    expect(stream.seen).to.deep.equal(['3 PENDING', '4 PENDING']);
    await stream.end();
  });

  it('brings many, which are more than one look finds', async () => {
    await Promise.all(Array.from({ length: 130 }, tell));
    const stream = follow();
    await until('all are there', () => stream.seen.length === 130);
    expect(stream.seen).to.deep.equal(Array.from({ length: 130 }, (_, index) => `${index + 1} PENDING`));
    await stream.end();
  });

  it('brings a user nothing of another one', async () => {
    const stream = follow(0n, randomUUID());
    await tell();
    const mine = follow();
    await until('it is there', () => mine.seen.length === 1);
    expect(stream.seen).to.deep.equal([]);
    await Promise.all([stream.end(), mine.end()]);
  });

  it('looks once for all who watch, and not at all for nobody', async () => {
    const streams = Array.from({ length: 20 }, () => follow());
    await until('it looks', () => looks > 3);
    await Promise.all(streams.map((stream) => stream.end()));
    const [looked, paused] = [looks, pauses];
    await until('five rounds are over', () => pauses > paused + 5);
    // The one that was under way.
    expect(looks).to.be.at.most(looked + 1);
  });

  it('ends when the service stops', async () => {
    const ended: Notification[] = [];
    const streaming = (async () => {
      for await (const each of watcher.watch(userId, 0n, new AbortController().signal)) ended.push(each);
    })();
    await until('it looks', () => looks > 0);
    await watcher.stop();
    await streaming;
    expect(ended).to.deep.equal([]);
  });
});
