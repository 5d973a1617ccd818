import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { refusal, systemClock } from '#kit';

import { createFolderChannel } from '../../services/notification/channel/folder-channel.ts';
import type { MailChannel } from '../../services/notification/channel/mail-channel.ts';
import { createSmtpChannel } from '../../services/notification/channel/smtp-channel.ts';
import type { Notification } from '../../services/notification/domain.ts';
import type { MailerHooks } from '../../services/notification/mailer-hooks.ts';
import { until } from '../database/until.ts';
import { createFailingDatabase } from './failing-database.ts';
import { type MailServer, startMailServer } from './mail-server.ts';
import { type NotificationFixture, startNotificationFixture } from './notification-fixture.ts';

type Point = 'afterTake' | 'afterHandOver' | 'afterAnswer';

/** So long another instance waits for one that died. */
const leaseMs = 300;

describe('a mail whose sender dies', () => {
  let fixture: NotificationFixture;
  let server: MailServer;
  let folder: string;
  before(async function () {
    this.timeout(20_000);
    fixture = await startNotificationFixture();
    server = await startMailServer();
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-mail-'));
  });
  afterEach(async () => {
    await fixture.reset();
    server.reset();
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  });
  after(async () => {
    await server?.stop();
    await fixture?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const smtp = (): MailChannel =>
    createSmtpChannel({ server: { host: '127.0.0.1', port: server.port, security: 'none', login: undefined }, from: 'shop@shop.example', clock: systemClock });
  const inFolder = (): MailChannel => createFolderChannel(folder, randomUUID);
  const stateOf = async ({ userId }: Notification): Promise<string | undefined> => (await fixture.notificationsOf(userId))[0]?.state;
  const reaches = (notification: Notification, state: string): Promise<void> => until(`it is ${state}`, async () => (await stateOf(notification)) === state);

  /** Starts an instance that dies at this point of its first mail; resolves when it is dead. */
  async function dieAt(point: Point, channel: MailChannel, hooks: MailerHooks = {}): Promise<void> {
    const failing = createFailingDatabase(fixture.open());
    const dead = Promise.withResolvers<void>();
    const die = (): never => {
      failing.die();
      dead.resolve();
      throw new Error('the process died here');
    };
    fixture.startMailer(channel, { database: failing.database, concurrency: 1, leaseMs, hooks: { ...hooks, [point]: die } });
    await dead.promise;
  }

  const bySmtp: readonly [when: string, point: Point, left: string, state: string, taken: number][] = [
    ['before it was handed over, is sent by another instance', 'afterTake', 'PENDING', 'SENT', 1],
    ['just as it was handed over, is not sent: nobody knows whether it left', 'afterHandOver', 'SENDING', 'UNCONFIRMED', 0],
    ['before the answer was noted, is not sent again', 'afterAnswer', 'SENDING', 'UNCONFIRMED', 1],
  ];
  for (const [when, point, left, state, taken] of bySmtp) {
    it(`${when} (mail server)`, async () => {
      const notification = await fixture.newNotification();
      await dieAt(point, smtp());
      expect(await stateOf(notification)).to.equal(left);
      fixture.startMailer(smtp(), { leaseMs });
      await reaches(notification, state);
      expect(server.taken).to.have.length(taken);
    });
  }

  const byFolder: readonly [when: string, point: Point, left: string][] = [
    ['before it was handed over, is sent by another instance', 'afterTake', 'PENDING'],
    ['just as it was handed over, is sent by another instance: the folder has no file', 'afterHandOver', 'SENDING'],
    ['before the answer was noted, is known to be sent: the folder has the file', 'afterAnswer', 'SENDING'],
  ];
  for (const [when, point, left] of byFolder) {
    it(`${when} (folder)`, async () => {
      const notification = await fixture.newNotification();
      await dieAt(point, inFolder());
      expect(await stateOf(notification)).to.equal(left);
      fixture.startMailer(inFolder(), { leaseMs });
      await reaches(notification, 'SENT');
      expect((await readdir(folder)).filter((name) => !name.startsWith('.'))).to.deep.equal([`${notification.notificationId}.eml`]);
    });
  }

  it('before the answer was noted, is not sent again by an instance whose folder is another one: nobody knows (folder)', async () => {
    const notification = await fixture.newNotification();
    await dieAt('afterAnswer', inFolder());
    const elsewhere = join(folder, 'elsewhere');
    fixture.startMailer(createFolderChannel(elsewhere, randomUUID), { leaseMs });
    await reaches(notification, 'UNCONFIRMED');
    const other = await fixture.newNotification();
    await reaches(other, 'SENT');
    expect((await readdir(elsewhere)).filter((name) => !name.startsWith('.'))).to.deep.equal([`${other.notificationId}.eml`]);
  });

  it('would be sent twice, were the hand-over not noted before the mail leaves', async () => {
    const notification = await fixture.newNotification();
    await dieAt('afterAnswer', smtp(), { withoutNote: true });
    fixture.startMailer(smtp(), { leaseMs });
    await reaches(notification, 'SENT');
    expect(server.taken).to.have.length(2);
  });

  it('only seemingly, is not sent by it once it wakes up and another instance has it', async () => {
    const failing = createFailingDatabase(fixture.open());
    const taken = Promise.withResolvers<void>();
    const { promise: wakes, resolve: wake } = Promise.withResolvers<void>();
    const notification = await fixture.newNotification();
    const hooks: MailerHooks = {
      afterTake() {
        failing.hang();
        taken.resolve();
        return wakes;
      },
    };
    const sleeper = fixture.startMailer(smtp(), { database: failing.database, leaseMs, hooks });
    await taken.promise;
    fixture.startMailer(smtp(), { leaseMs });
    await reaches(notification, 'SENT');
    wake();
    failing.back();
    await sleeper.stop();
    expect(server.taken).to.have.length(1);
    expect(await stateOf(notification)).to.equal('SENT');
  });

  it('only seemingly, is SENT after all when it wakes up and has the answer', async () => {
    const failing = createFailingDatabase(fixture.open());
    const { promise: wakes, resolve: wake } = Promise.withResolvers<void>();
    const notification = await fixture.newNotification();
    const hooks: MailerHooks = {
      afterAnswer() {
        failing.hang();
        return wakes;
      },
    };
    fixture.startMailer(smtp(), { database: failing.database, leaseMs, hooks });
    await until('it was taken', () => server.taken.length === 1);
    fixture.startMailer(smtp(), { leaseMs });
    await reaches(notification, 'UNCONFIRMED');
    wake();
    failing.back();
    await reaches(notification, 'SENT');
    expect(server.taken).to.have.length(1);
  });

  for (const [code, state, reason] of [[451, 'PENDING', 'the mail server says: 451'], [550, 'FAILED', 'the mail server says: 550']] as const) {
    for (const [when, then] of [['after another instance', 'UNCONFIRMED'], ['just before another instance', 'SENDING']] as const) {
      it(`only seemingly, is ${state} after all when it wakes up ${when} has concluded that nobody knows, and has a ${code}`, async () => {
        const failing = createFailingDatabase(fixture.open());
        const { promise: wakes, resolve: wake } = Promise.withResolvers<void>();
        const { promise: concludes, resolve: conclude } = Promise.withResolvers<void>();
        const answered = Promise.withResolvers<void>();
        server.atEnd(() => code);
        const notification = await fixture.newNotification();
        const hooks: MailerHooks = {
          afterAnswer() {
            failing.hang();
            answered.resolve();
            return wakes;
          },
        };
        const sleeper = fixture.startMailer(smtp(), { database: failing.database, leaseMs, hooks });
        await answered.promise;
        let isTakenUp = false;
        const late: MailerHooks = {
          afterAnswer() {
            isTakenUp = true;
            return then === 'SENDING' ? concludes : undefined;
          },
        };
        const other = fixture.startMailer(smtp(), { leaseMs, hooks: late });
        await until('it is taken up', () => isTakenUp);
        await reaches(notification, then);
        wake();
        failing.back();
        await until('its reason is known', async () => (await fixture.notificationsOf(notification.userId))[0]?.reason.startsWith(reason) === true);
        conclude();
        await Promise.all([sleeper.stop(), other.stop()]);
        expect(await stateOf(notification)).to.equal(state);
      });
    }
  }

  it('not at all, but loses its database just as it is handed over, is sent when that is back', async () => {
    const failing = createFailingDatabase(fixture.open());
    const notification = await fixture.newNotification();
    // As when the connection is lost during COMMIT: it is noted, and the one who noted it does not know.
    let losses = 1;
    const hooks: MailerHooks = {
      afterHandOver() {
        if (losses-- !== 1) return;
        failing.goAway();
        throw refusal('DATABASE_UNAVAILABLE', 'the answer was lost');
      },
    };
    fixture.startMailer(smtp(), { database: failing.database, leaseMs, hooks });
    await until('it is noted', async () => (await stateOf(notification)) === 'SENDING');
    failing.back();
    await reaches(notification, 'SENT');
    expect(server.taken).to.have.length(1);
  });

  it('not at all, but loses its database with the answer in hand, is SENT when that is back', async () => {
    const failing = createFailingDatabase(fixture.open());
    const notification = await fixture.newNotification();
    fixture.startMailer(smtp(), { database: failing.database, leaseMs, hooks: { afterAnswer: failing.goAway } });
    await until('it was taken', () => server.taken.length === 1);
    expect(await stateOf(notification)).to.equal('SENDING');
    failing.back();
    await reaches(notification, 'SENT');
    expect(server.taken).to.have.length(1);
  });
});
