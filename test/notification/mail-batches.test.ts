import { randomUUID } from 'node:crypto';

import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import type { Database } from '#database';
import { systemClock } from '#kit';

import type { MailChannel } from '../../services/notification/channel/mail-channel.ts';
import { takeDue } from '../../services/notification/mail-queue.ts';
import { createMailWriter } from '../../services/notification/mail-writer.ts';
import { changedAfter } from '../../services/notification/store.ts';
import { until } from '../database/until.ts';
import { type NotificationFixture, placed, startNotificationFixture } from './notification-fixture.ts';

const MAILS = 16;

describe('mails that are due together', () => {
  let fixture: NotificationFixture;
  let userId: string;
  before(async function () {
    this.timeout(20_000);
    fixture = await startNotificationFixture();
  });
  beforeEach(async () => {
    userId = randomUUID();
    await fixture.deliverAll(Array.from({ length: MAILS }, () => placed(randomUUID(), userId)));
  });
  afterEach(() => fixture.reset());
  after(() => fixture?.remove());

  const countIn = async (state: string): Promise<number> => (await fixture.notificationsOf(userId)).filter((each) => each.state === state).length;

  /** Takes mails, so many at once that none is answered before the others have been handed over too. */
  function channelOf(together: number): { readonly channel: MailChannel; readonly taken: string[] } {
    const taken: string[] = [];
    let full = Promise.withResolvers<void>();
    const channel: MailChannel = {
      async send({ id }, { handOver }) {
        await handOver();
        taken.push(id);
        const mine = full;
        if (taken.length % together === 0) {
          full = Promise.withResolvers();
          mine.resolve();
        }
        await mine.promise;
        return { kind: 'taken' };
      },
      wasTaken: async () => undefined,
      stop: async () => {},
    };
    return { channel, taken };
  }

  /** The fixture's database, and how often each statement was sent. */
  function counted(): { readonly database: Database; readonly counts: Map<string, number> } {
    const counts = new Map<string, number>();
    const database: Database = {
      ...fixture.database,
      query(statement, values) {
        counts.set(statement.name, (counts.get(statement.name) ?? 0) + 1);
        return fixture.database.query(statement, values);
      },
    };
    return { database, counts };
  }

  it('are taken up, handed over and concluded in few statements, each of them once', async () => {
    const { database, counts } = counted();
    const { channel, taken } = channelOf(4);
    // It looks once: what is taken up is all there is.
    fixture.startMailer(channel, { database, pollMs: 60_000 });
    await until('all are sent', async () => (await countIn('SENT')) === MAILS);
    expect(new Set(taken).size).to.equal(MAILS).and.equal(taken.length);
    // The first may go alone, and the others follow together.
    expect(counts.get('notification.hand_over')).to.be.at.most(MAILS / 2);
    expect(counts.get('notification.conclude')).to.be.at.most(MAILS / 2);
    // 16, and then a look that finds none.
    expect(counts.get('notification.take_due')).to.be.at.most(2);
    const sequences = (await changedAfter(fixture.database, userId, 0n)).map(({ sequence }) => Number(sequence));
    expect(sequences).to.deep.equal(Array.from({ length: MAILS }, (_, index) => MAILS + 1 + index));
  });

  it('are handed over to whoever has them now, also where a group has one of them twice', async () => {
    const [mail] = await takeDue(fixture.database, { limit: 1, leaseMs: 60_000, except: [] });
    if (!mail) return expect.fail('a mail');
    const writer = createMailWriter({ database: fixture.database, tracer: trace.getTracer('test'), clock: systemClock, leaseMs: 60_000 });
    const stale = { ...mail, fence: mail.fence - 1n };
    const handed = await Promise.all([stale, mail, stale].map((held) => writer.handOver({ held, to: undefined })));
    expect(handed).to.deep.equal([false, true, false]);
  });

  it('need one question for the address of their user, and the next ones ask again', async () => {
    let asked = 0;
    const directory = {
      async recipientOf() {
        asked += 1;
        return { name: 'Buyer', address: 'buyer@example.com' };
      },
    };
    fixture.startMailer(channelOf(1).channel, { directory });
    await until('all are sent', async () => (await countIn('SENT')) === MAILS);
    expect(asked).to.equal(1);
    await fixture.deliver(placed(randomUUID(), userId));
    await until('the next one is sent', async () => (await countIn('SENT')) === MAILS + 1);
    expect(asked).to.equal(2);
  });

  it('are left at once to other instances when their own is stopped before it has begun with them', async () => {
    const hanging: MailChannel = {
      send: (_mail, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'not-now', reason: '' }))),
      wasTaken: async () => undefined,
      stop: async () => {},
    };
    const held = { name: 'test.held', text: `SELECT FROM notification WHERE due_time > now()` };
    const mailer = fixture.startMailer(hanging, { graceMs: 20, leaseMs: 60_000 });
    await until('all are taken up', async () => (await fixture.database.query(held, [])).length === MAILS);
    await mailer.stop();
    expect(await fixture.database.query(held, [])).to.have.length(0);
    fixture.startMailer(channelOf(1).channel, { leaseMs: 60_000 });
    await until('all are sent', async () => (await countIn('SENT')) === MAILS);
  });
});
