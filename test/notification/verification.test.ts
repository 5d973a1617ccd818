import { createHash } from 'node:crypto';

import { expect } from 'chai';

import { type Database, migrate } from '#database';
import { newEvent } from '#events';
import { type Log, silentLog, systemClock, systemRandom } from '#kit';
import { EmailVerificationRequestedSchema } from '#proto/shop/user/v1/user_events_pb.js';

import type { Mail, MailChannel, MailOutcome } from '../../services/notification/channel/mail-channel.ts';
import { notificationEvents } from '../../services/notification/events.ts';
import { service } from '../../services/notification/service.ts';
import { createVerificationSender } from '../../services/notification/verification/verification-sender.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { newEmail, PASSWORD, useAccounts } from '../user/accounts/accounts-bench.ts';

describe('mails that verify an address', function () {
  this.timeout(20_000);
  const bench = useAccounts();
  let place: TestDatabase;
  let database: Database;
  const senders: { stop(): Promise<void> }[] = [];
  const mails: Mail[] = [];
  /** What the mail server says, each once; then it takes all. */
  const answers: MailOutcome[] = [];

  before(async () => {
    place = await createTestDatabase();
    await migrate({ url: place.url, schema: 'notification', components: service.migrations, log: silentLog });
    database = openTestDatabase({ url: place.url, schema: 'notification' });
  });
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((sender) => sender.stop()));
    mails.length = 0;
    expect(answers).to.have.length(0);
    expect(await rows('SELECT verification_id FROM verification_mail')).to.deep.equal([]);
  });
  after(async () => {
    await database?.stop();
    await place?.drop();
  });

  const channel: MailChannel = {
    async send(mail, { handOver }) {
      await handOver();
      mails.push(mail);
      return answers.shift() ?? { kind: 'taken' };
    },
    wasTaken: async () => undefined,
    stop: async () => {},
  };

  function start(log: Log = silentLog): void {
    const sender = createVerificationSender({ database, channel, accounts: bench().accounts, clock: systemClock, random: systemRandom, log });
    senders.push(sender);
    sender.start();
  }

  const rows = (text: string): Promise<object[]> => database.query({ name: `test.${createHash('sha1').update(text).digest('hex')}`, text }, []);
  const isEmpty = async (): Promise<boolean> => (await rows('SELECT verification_id FROM verification_mail')).length === 0;

  /** Handles the event of a verification as a consumer does. */
  async function deliver(verificationId: string, isMailed = true): Promise<void> {
    const handlers = notificationEvents({ isMailed, clock: systemClock, random: systemRandom });
    const handler = handlers.find(({ type }) => type === EmailVerificationRequestedSchema.typeName);
    const head = { id: `event-${verificationId}`, source: 'user', subject: 'some', time: new Date() };
    const { effect, write } = handler?.read(newEvent(EmailVerificationRequestedSchema, { verificationId, userId: 'some' }, head)) ?? expect.fail('not consumed');
    await database.transaction('test.deliver', (tx) => write(tx, [effect]));
  }

  async function register(email: string): Promise<string> {
    const { verification } = await bench().accounts.register({ email, password: PASSWORD, displayName: 'Some\r\nOne' });
    return verification?.verificationId ?? '';
  }

  const codeIn = ({ text }: Mail): string => /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/.exec(text)?.[0] ?? '';

  it('bring the code that makes the account, to the address that was given', async () => {
    const email = newEmail();
    const verificationId = await register(email);
    await deliver(verificationId);
    start();
    await until('it is sent', () => mails.length === 1);
    const [mail] = mails as [Mail];
    expect(mail.to.address).to.equal(email);
    expect(mail.to.name).not.to.match(/[\r\n]/);
    await bench().accounts.verifyEmail({ verificationId, code: codeIn(mail) });
    await bench().signIn(email);
    await until('it is done', isEmpty);
  });

  it('are the only place where the code is', async () => {
    const verificationId = await register(newEmail());
    const { log, lines } = captureLog('trace');
    answers.push({ kind: 'not-now', reason: 'busy' });
    await deliver(verificationId);
    start(log);
    await until('it was tried', () => mails.length === 1);
    const tables = (await rows(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()`)) as { name: string }[];
    const kept = await Promise.all(tables.map(({ name }) => rows(`SELECT t::text AS row FROM "${name}" AS t`)));
    const told = JSON.stringify([kept, lines, bench().log, bench().fleet.telemetry.spans().map(({ attributes, events }) => ({ attributes, events }))]);
    expect(told).to.include(verificationId);
    for (const mail of mails) for (const form of [codeIn(mail), codeIn(mail).replaceAll('-', '')]) expect(told).not.to.include(form);
    await rows('DELETE FROM verification_mail');
  });

  it('are tried again with another code, and the first one is good no more', async () => {
    const verificationId = await register(newEmail());
    answers.push({ kind: 'unknown', reason: 'no answer came' });
    await deliver(verificationId);
    start();
    await until('it was tried', () => mails.length === 1);
    await until('it is sent', async () => {
      await rows('UPDATE verification_mail SET due_time = now() WHERE attempt = 1');
      return mails.length === 2;
    });
    const [first, second] = mails as [Mail, Mail];
    expect(first.id).not.to.equal(second.id);
    await expectRefusal('VERIFICATION_REFUSED', bench().accounts.verifyEmail({ verificationId, code: codeIn(first) }));
    await bench().accounts.verifyEmail({ verificationId, code: codeIn(second) });
    await until('it is done', isEmpty);
  });

  it('are sent once, by one of several instances, though the event comes twice', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => register(newEmail())));
    for (const id of [...ids, ...ids]) await deliver(id);
    start();
    start();
    await until('all are done', isEmpty);
    expect(mails.map(({ id }) => id)).to.have.members(ids.map((id) => `${id}-1`));
  });

  it('tell the owner of an address that somebody wanted to register with it, without a code', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    await deliver(await register(email));
    start();
    await until('it is sent', () => mails.length === 1);
    expect(mails[0]).to.include({ subject: 'You have an account already' });
    expect(codeIn(mails[0] as Mail)).to.equal('');
    await until('it is done', isEmpty);
  });

  it('are not sent where there is no account, or not any more, or no way to send them', async () => {
    const { verification } = await bench().accounts.requestPasswordReset({ email: newEmail() });
    await deliver(verification?.verificationId ?? '');
    await deliver('one-of-long-ago');
    await deliver(await register(newEmail()), false);
    start();
    await until('they are done', isEmpty);
    expect(mails).to.deep.equal([]);
  });

  it('that the server refuses for good are not tried again', async () => {
    answers.push({ kind: 'refused', reason: 'no such mailbox' });
    await deliver(await register(newEmail()));
    start();
    await until('it is done', isEmpty);
    expect(mails).to.have.length(1);
  });
});
