import { expect } from 'chai';

import { refusal, systemClock } from '#kit';

import type { MailChannel } from '../../services/notification/channel/mail-channel.ts';
import { createSmtpChannel } from '../../services/notification/channel/smtp-channel.ts';
import type { Notification } from '../../services/notification/domain.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { type Answer, type MailServer, startMailServer } from './mail-server.ts';
import { type NotificationFixture, startNotificationFixture } from './notification-fixture.ts';

const MAILS = 40;

describe('the mailer', () => {
  let fixture: NotificationFixture;
  let server: MailServer;
  before(async function () {
    this.timeout(20_000);
    fixture = await startNotificationFixture();
    server = await startMailServer();
  });
  afterEach(async () => {
    await fixture.reset();
    server.reset();
  });
  after(async () => {
    await server?.stop();
    await fixture?.remove();
  });

  const smtp = (port = server.port): MailChannel =>
    createSmtpChannel({ server: { host: '127.0.0.1', port, security: 'none', login: undefined }, from: 'shop@shop.example', clock: systemClock });
  const now = async ({ userId }: Notification): Promise<Notification | undefined> => (await fixture.notificationsOf(userId))[0];
  /** Waits for a state, and returns the notification as it is then. */
  async function reaches(notification: Notification, state: string, reason = ''): Promise<Notification> {
    let found: Notification | undefined;
    await until(`it is ${state}`, async () => {
      found = await now(notification);
      return found?.state === state && found.reason.includes(reason);
    });
    return found ?? notification;
  }

  it('sends what is due, and says when', async () => {
    const notification = await fixture.newNotification();
    fixture.startMailer(smtp());
    const sent = await reaches(notification, 'SENT');
    expect(sent.sentTime).to.be.greaterThanOrEqual(notification.createTime);
    expect(sent.sequence).to.equal(notification.sequence + 1n);
    const [mail] = server.taken;
    expect(mail).to.deep.include({ subject: notification.subject, text: notification.body, messageId: `<${notification.notificationId}@shop.example>` });
    expect(mail?.to).to.have.nested.property('value').that.deep.equals([{ name: 'Buyer', address: `${notification.userId}@example.com` }]);
  });

  it('sends each mail once, also when several instances send at once', async () => {
    const notifications = await Promise.all(Array.from({ length: MAILS }, () => fixture.newNotification()));
    for (let instance = 0; instance < 3; instance += 1) fixture.startMailer(smtp());
    for (const notification of notifications) await reaches(notification, 'SENT');
    expect(new Set(server.taken.map(({ messageId }) => messageId)).size).to.equal(MAILS);
    expect(server.taken).to.have.length(MAILS);
  });

  it('tries again what the server has put off, and says why it waits', async () => {
    const answers: Answer[] = [451, 421];
    server.atRecipient(() => answers.shift() ?? 'go on');
    const notification = await fixture.newNotification();
    fixture.startMailer(smtp());
    for (const code of [451, 421]) {
      await reaches(notification, 'PENDING', `the mail server says: ${code}`);
      await fixture.hurry();
    }
    expect((await reaches(notification, 'SENT')).reason).to.equal('');
    expect(server.taken).to.have.length(1);
  });

  it('waits longer after every failed try', async () => {
    server.atRecipient(() => 451);
    const waits = { name: 'test.waits', text: `SELECT attempt, extract(epoch FROM due_time - now())::float8 AS seconds FROM notification` };
    await fixture.newNotification();
    fixture.startMailer(smtp());
    const seconds: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await until(`try ${attempt} has failed`, async () => (await fixture.database.query<{ attempt: number }>(waits, []))[0]?.attempt === attempt);
      seconds.push((await fixture.database.query<{ seconds: number }>(waits, []))[0]?.seconds ?? 0);
      await fixture.hurry();
    }
    // 1, 2, 4 and 8 s, each ±20 %, less what has passed since.
    for (const [index, waited] of seconds.entries()) expect(waited).to.be.below(1.2 * 2 ** index);
    expect(seconds[3]).to.be.greaterThan(1.2 * 4);
  });

  it('does not try again what the server has refused for good', async () => {
    server.atRecipient(() => 550);
    const notification = await fixture.newNotification();
    fixture.startMailer(smtp());
    const failed = await reaches(notification, 'FAILED');
    expect(failed.reason).to.contain('550').and.not.contain('@');
    server.atRecipient(() => 'go on');
    const other = await fixture.newNotification();
    await reaches(other, 'SENT');
    expect(server.heard.filter((heard) => heard.startsWith(`RCPT ${notification.userId}`))).to.have.length(1);
  });

  it('gives up a day after the first try failed, however old it was by then', async () => {
    const ago = (column: string) => ({ name: `test.${column}`, text: `UPDATE notification SET ${column} = now() - interval '25 hours'` });
    server.atRecipient(() => 451);
    const notification = await fixture.newNotification();
    await fixture.database.query(ago('create_time'), []);
    fixture.startMailer(smtp());
    await reaches(notification, 'PENDING', 'the mail server says: 451');
    await fixture.database.query(ago('first_failure_time'), []);
    await fixture.hurry();
    await reaches(notification, 'FAILED', 'given up after a day: the mail server says: 451');
  });

  it('waits for a server that is away, and says so once', async () => {
    const gone = await startMailServer();
    await gone.stop();
    const { log, lines } = captureLog('info');
    const notifications = await Promise.all([fixture.newNotification(), fixture.newNotification()]);
    fixture.startMailer(smtp(gone.port), { log });
    for (const notification of notifications) await reaches(notification, 'PENDING', 'cannot be reached');
    const back = await startMailServer({}, gone.port);
    await fixture.hurry();
    for (const notification of notifications) await reaches(notification, 'SENT');
    await until('it says so', () => lines.length > 1);
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['mail cannot be sent now; it is tried again', 'mail can be sent again']);
    await back.stop();
  });

  for (const [when, at] of [['in the mail', 'atData'], ['instead of answering', 'atEnd']] as const) {
    it(`does not send again when the server hangs up ${when}: it may have the mail`, async () => {
      server[at](() => 'hang up');
      const notification = await fixture.newNotification();
      fixture.startMailer(smtp());
      await reaches(notification, 'UNCONFIRMED', 'the connection broke');
      server[at](() => 'go on');
      const other = await fixture.newNotification();
      await reaches(other, 'SENT');
      expect(server.heard.filter((heard) => heard.startsWith(`RCPT ${notification.userId}`))).to.have.length(1);
      expect(server.taken.filter(({ messageId }) => messageId?.includes(notification.notificationId))).to.have.length(at === 'atEnd' ? 1 : 0);
    });
  }

  it('sends nothing to a user who is gone, or whose address is none', async () => {
    const gone = await fixture.newNotification();
    const strange = await fixture.newNotification();
    fixture.recipients.set(gone.userId, undefined).set(strange.userId, { name: 'Buyer', address: 'a@example.com\r\nRCPT TO:<all@example.com>' });
    fixture.startMailer(smtp());
    await reaches(gone, 'FAILED', 'no such user');
    await reaches(strange, 'FAILED', 'address');
    expect(server.heard).to.deep.equal([]);
  });

  it('waits while nobody can be asked for the address', async () => {
    const notification = await fixture.newNotification();
    fixture.recipients.set(notification.userId, refusal('UNREACHABLE', 'the user service is away'));
    fixture.startMailer(smtp());
    await reaches(notification, 'PENDING', 'UNREACHABLE');
    fixture.recipients.clear();
    await fixture.hurry();
    await reaches(notification, 'SENT');
  });

  it('goes on with others at its pace while one hangs', async function () {
    this.timeout(10_000);
    const { promise: never, resolve: goOn } = Promise.withResolvers<Answer>();
    let mails = 0;
    server.atEnd(() => (mails++ === 0 ? never : 'go on'));
    await Promise.all([fixture.newNotification(), fixture.newNotification()]);
    // One at once, which uses up the pace, and the other a second later.
    fixture.startMailer(smtp(), { ratePerSecond: 1 });
    await until('the other is sent', () => server.taken.length === 1);
    goOn('hang up');
  });

  it('tries again, and counts it, when the channel itself is broken', async () => {
    const notification = await fixture.newNotification();
    let isBroken = true;
    const whole = smtp();
    const channel: MailChannel = { ...whole, send: (mail, options) => (isBroken ? Promise.reject(new Error('out of memory')) : whole.send(mail, options)) };
    fixture.startMailer(channel);
    await reaches(notification, 'PENDING', 'cannot be prepared');
    isBroken = false;
    await fixture.hurry();
    await reaches(notification, 'SENT');
  });

  it('lets mails finish that are on their way when it is stopped', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<Answer>();
    const arrived = Promise.withResolvers<void>();
    server.atEnd(() => {
      arrived.resolve();
      return answered;
    });
    const notification = await fixture.newNotification();
    const mailer = fixture.startMailer(smtp());
    await arrived.promise;
    const stopped = mailer.stop();
    answer('go on');
    await stopped;
    expect((await now(notification))?.state).to.equal('SENT');
  });

  it('does not wait for ever then: what has not left stays PENDING as if never tried, of what has left nobody knows', async () => {
    for (const [at, state] of [['atRecipient', 'PENDING'], ['atEnd', 'UNCONFIRMED']] as const) {
      const arrived = Promise.withResolvers<void>();
      const { promise: never, resolve: goOn } = Promise.withResolvers<Answer>();
      server.reset();
      server[at](() => {
        arrived.resolve();
        return never;
      });
      const notification = await fixture.newNotification();
      const mailer = fixture.startMailer(smtp(), { graceMs: 20 });
      await arrived.promise;
      await mailer.stop();
      const left = await now(notification);
      expect(left?.state).to.equal(state);
      if (state === 'PENDING') expect(left?.reason).to.equal('');
      goOn('hang up');
      await fixture.reset();
    }
  });
});
