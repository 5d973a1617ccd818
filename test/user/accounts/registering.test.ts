import { expect } from 'chai';

import { VerificationPurpose } from '#proto/shop/user/v1/account_pb.js';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { newEmail, newRequestId, PASSWORD, rowsOf, useAccounts } from './accounts-bench.ts';

const MINUTE_MS = 60_000;

describe('registration', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  /** Registers and returns the id of the verification. */
  async function register(email: string, more: { requestId?: string; password?: string } = {}): Promise<string> {
    const { verification } = await bench().accounts.register({ email, password: PASSWORD, displayName: 'Some One', ...more });
    return verification?.verificationId ?? '';
  }
  const issue = (verificationId: string) => bench().accounts.issueVerificationCode({ verificationId });
  const verify = (verificationId: string, code: string) => bench().accounts.verifyEmail({ verificationId, code });

  it('makes a user and an account once the mailed code comes back', async () => {
    const email = newEmail();
    const id = await register(email);
    await expectRefusal('INVALID_CREDENTIALS', bench().signIn(email));
    const { code, purpose, email: to } = await issue(id);
    expect({ purpose, to }).to.deep.equal({ purpose: VerificationPurpose.REGISTRATION, to: email });
    const { account } = await verify(id, code.toLowerCase().replaceAll('-', ' '));
    expect(account).to.deep.include({ email, displayName: 'Some One', roles: ['customer'] });
    const { user } = await bench().users.getUser({ userId: account?.userId ?? '' });
    expect(user).to.deep.include({ email, displayName: 'Some One' });
    expect(await bench().signIn(email.toUpperCase())).to.have.property('refreshToken').with.length(64);
  });

  it('has the same account when the code comes again', async () => {
    const id = await register(newEmail());
    const { code } = await issue(id);
    const answers = await Promise.all([verify(id, code), verify(id, code), verify(id, code)]);
    expect(new Set(answers.map(({ account }) => account?.userId))).to.have.length(1);
  });

  it('answers for an address that has an account as for any other, and has its owner told', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const hashesBefore = bench().hashes();
    const known = await bench().accounts.register({ email, password: PASSWORD, displayName: 'Other' });
    const other = await bench().accounts.register({ email: newEmail(), password: PASSWORD, displayName: 'Other' });
    expect(bench().hashes() - hashesBefore).to.equal(2);
    expect(Object.keys(known.verification ?? {})).to.deep.equal(Object.keys(other.verification ?? {}));
    const id = known.verification?.verificationId ?? '';
    expect(id).to.have.length(other.verification?.verificationId.length ?? 0);
    expect(await issue(id)).to.deep.include({ purpose: VerificationPurpose.ALREADY_REGISTERED, code: '', email });
    await expectRefusal('VERIFICATION_REFUSED', verify(id, '0000-0000-0000-0000'));
  });

  it('gives nobody an account with a password of somebody else, who registered with the same address first', async () => {
    const email = newEmail();
    const ofStranger = await register(email, { password: 'of the stranger' });
    const ofOwner = await register(email);
    const { code } = await issue(ofOwner);
    await expectRefusal('VERIFICATION_REFUSED', verify(ofStranger, code));
    await verify(ofOwner, code);
    await expectRefusal('VERIFICATION_REFUSED', verify(ofStranger, (await issue(ofStranger)).code));
    await expectRefusal('INVALID_CREDENTIALS', bench().accounts.signIn({ email, password: 'of the stranger' }));
    await bench().signIn(email);
  });

  it('knows a request that comes again, and keeps no hash of its password that costs nothing to try', async () => {
    const email = newEmail();
    const requestId = newRequestId();
    const ids = await Promise.all([register(email, { requestId }), register(email, { requestId })]);
    ids.push(await register(email, { requestId, password: 'another of mine' }));
    expect(new Set(ids)).to.have.length(1);
    const events = await rowsOf(bench(), 'SELECT event_id FROM outbox WHERE payload->>\'verificationId\' = $1', [ids[0]]);
    expect(events).to.have.length(1);
    await expectRefusal('IDEMPOTENCY_KEY_REUSED', register(newEmail(), { requestId }));
  });

  it('takes only the latest code, for half an hour', async () => {
    const id = await register(newEmail());
    const first = (await issue(id)).code;
    const second = (await issue(id)).code;
    await expectRefusal('VERIFICATION_REFUSED', verify(id, first));
    bench().clock.advance(30 * MINUTE_MS + 1);
    await expectRefusal('VERIFICATION_REFUSED', verify(id, second));
    await verify(id, (await issue(id)).code);
  });

  it('takes no code any more after ten wrong ones, also when they come at once', async () => {
    const id = await register(newEmail());
    const { code } = await issue(id);
    await Promise.all(Array.from({ length: 10 }, () => expectRefusal('VERIFICATION_REFUSED', verify(id, 'wrong'))));
    await expectRefusal('VERIFICATION_REFUSED', verify(id, code));
  });

  it('refuses passwords that are short, long or guessed first, and never repeats one', async () => {
    for (const [password, says] of [['seven77', 'has 7 characters'], ['x'.repeat(129), 'has 129 characters'], ['PassWord123', 'guessed first']] as const) {
      const { message, violations } = await expectRefusal('PASSWORD_REFUSED', register(newEmail(), { password }));
      expect(message).to.include(says).and.not.include(password);
      expect(violations.map(({ field }) => field)).to.deep.equal(['password']);
    }
    // Eight characters of two code points each.
    await register(newEmail(), { password: 'e\u0301'.repeat(8) });
  });

  it('has at most 20 mails sent to an address in a row, and says when there may be another', async () => {
    const email = newEmail();
    for (let count = 0; count < 20; count += 1) await register(email);
    const { metadata } = await expectRefusal('TOO_MANY_ATTEMPTS', register(email));
    expect(metadata).to.deep.equal({ retryInMs: '600000' });
    bench().clock.advance(10 * MINUTE_MS);
    await register(email);
  });

  it('writes an event that names the verification, and nothing else that could be used', async () => {
    const email = newEmail();
    const id = await register(email);
    const [event] = await rowsOf<{ payload: object }>(bench(), 'SELECT payload FROM outbox WHERE payload->>\'verificationId\' = $1', [id]);
    expect(Object.keys(event?.payload ?? {})).to.have.members(['verificationId', 'userId']);
    expect(JSON.stringify(event)).not.to.include(email);
  });

  it('has nothing to send for a verification that there is not', async () => {
    await expectRefusal('VERIFICATION_NOT_FOUND', issue('nothing'));
  });
});

describe('a forgotten password', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  async function request(email: string): Promise<string> {
    const { verification } = await bench().accounts.requestPasswordReset({ email });
    return verification?.verificationId ?? '';
  }

  it('is replaced by whoever reads the mailbox, which ends every session', async () => {
    const email = newEmail();
    const { userId } = await bench().newAccount(email);
    const { refreshToken } = await bench().signIn(email);
    const verificationId = await request(email);
    const { code, purpose } = await bench().accounts.issueVerificationCode({ verificationId });
    expect(purpose).to.equal(VerificationPurpose.PASSWORD_RESET);
    const reset = { verificationId, code, newPassword: 'a new one of mine' };
    expect((await bench().accounts.resetPassword(reset)).account?.userId).to.equal(userId);
    await bench().accounts.resetPassword({ ...reset, newPassword: 'yet another one' });
    await expectRefusal('INVALID_CREDENTIALS', bench().signIn(email));
    await bench().accounts.signIn({ email, password: 'a new one of mine' });
    await expectRefusal('SESSION_ENDED', bench().accounts.refresh({ refreshToken, requestId: newRequestId() }));
  });

  it('is asked for with the same answer where there is no account, and nothing is sent', async () => {
    const verificationId = await request(newEmail());
    expect(verificationId).to.have.length(36);
    await expectRefusal('VERIFICATION_NOT_FOUND', bench().accounts.issueVerificationCode({ verificationId }));
    await expectRefusal('VERIFICATION_REFUSED', bench().accounts.resetPassword({ verificationId, code: 'any', newPassword: PASSWORD }));
  });

  it('costs a hash only who knows a code', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const verificationId = await request(email);
    const before = bench().hashes();
    await expectRefusal('VERIFICATION_REFUSED', bench().accounts.resetPassword({ verificationId, code: 'wrong', newPassword: PASSWORD }));
    expect(bench().hashes()).to.equal(before);
  });
});
