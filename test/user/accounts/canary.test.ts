import { expect } from 'chai';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { useTracePropagation } from '../../mesh/support/telemetry.ts';
import { newEmail, newRequestId, PASSWORD, rowsOf, useAccounts } from './accounts-bench.ts';

const WRONG_PASSWORD = 'canary of a wrong password';
const NEW_PASSWORD = 'canary of a new password';

describe('secrets of accounts', function () {
  this.timeout(20_000);
  useTracePropagation();
  const bench = useAccounts();
  /** Every secret that came to be, and what callers were told that asked in vain. */
  const secrets = new Map<string, string>();
  const errors: unknown[] = [];

  const refused = async (...given: Parameters<typeof expectRefusal>): Promise<void> => void errors.push(await expectRefusal(...given));

  before(async () => {
    const { accounts, users } = bench();
    const email = newEmail();
    const registered = await accounts.register({ email, password: PASSWORD, displayName: 'Some One', requestId: newRequestId() });
    const verificationId = registered.verification?.verificationId ?? '';
    const { code } = await accounts.issueVerificationCode({ verificationId });
    await refused('VERIFICATION_REFUSED', accounts.verifyEmail({ verificationId, code: 'canary-of-a-code' }));
    const { account } = await accounts.verifyEmail({ verificationId, code });
    await refused('INVALID_CREDENTIALS', accounts.signIn({ email, password: WRONG_PASSWORD }));
    const first = (await accounts.signIn({ email, password: PASSWORD })).tokens;
    const second = (await accounts.refresh({ refreshToken: first?.refreshToken ?? '', requestId: newRequestId() })).tokens;
    await refused('SESSION_ENDED', accounts.refresh({ refreshToken: first?.refreshToken ?? '', requestId: newRequestId() }));
    const third = (await accounts.signIn({ email, password: PASSWORD })).tokens;
    const refreshToken = third?.refreshToken ?? '';
    await refused('INVALID_CREDENTIALS', accounts.changePassword({ refreshToken, currentPassword: WRONG_PASSWORD, newPassword: NEW_PASSWORD }));
    await refused('PASSWORD_REFUSED', accounts.changePassword({ refreshToken, currentPassword: PASSWORD, newPassword: 'canary7' }));
    await refused('INVALID_ARGUMENT', accounts.changePassword({ refreshToken: 'canary of a token', currentPassword: PASSWORD, newPassword: NEW_PASSWORD }));
    const fourth = (await accounts.changePassword({ refreshToken, currentPassword: PASSWORD, newPassword: NEW_PASSWORD })).tokens;
    await refused('USER_NOT_FOUND', users.getUser({ userId: 'nobody' }));
    expect(account?.email).to.equal(email);
    const plain = { PASSWORD, WRONG_PASSWORD, NEW_PASSWORD, code, 'wrong code': 'canary-of-a-code', 'short password': 'canary7', 'wrong token': 'canary of a token' };
    for (const [name, secret] of Object.entries(plain)) secrets.set(name, secret);
    for (const [index, tokens] of [first, second, third, fourth].entries()) {
      secrets.set(`refresh token ${index}`, tokens?.refreshToken ?? '');
      // Without its header, which is no secret and the same in all.
      secrets.set(`access token ${index}`, tokens?.accessToken.split('.')[2] ?? '');
    }
  });

  function expectNone(where: string, text: string): void {
    expect(text.length, `${where} has something in it`).to.be.above(100);
    for (const [name, secret] of secrets) {
      expect(secret, name).to.have.length.above(5);
      const forms = [secret, JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')];
      // As bytes, too, which is how a token would stand in a table.
      if (name.startsWith('refresh')) forms.push(Buffer.from(secret, 'base64url').toString('hex'));
      for (const form of forms) expect(text.includes(form), `${name} in ${where}`).to.equal(false);
    }
  }

  it('would be found, in each of the forms in which they might stand somewhere', () => {
    const filler = 'x'.repeat(100);
    const [token = ''] = [...secrets].filter(([name]) => name.startsWith('refresh')).map(([, secret]) => secret);
    for (const leak of [PASSWORD, Buffer.from(NEW_PASSWORD).toString('base64'), Buffer.from(token, 'base64url').toString('hex')]) {
      expect(() => expectNone('a leak', filler + leak)).to.throw('in a leak');
    }
  });

  it('are in no line of the log', () => {
    expectNone('the log', JSON.stringify([bench().log, bench().fleet.log]));
  });

  it('are in no span, of calls or of statements', () => {
    const spans = bench().fleet.telemetry.spans();
    const told = spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
    expect(spans.map(({ name }) => name)).to.include.members(['shop.user.v1.AccountService/SignIn', 'session.insert']);
    expectNone('spans', JSON.stringify(told));
  });

  it('are in no error', () => {
    const told = errors.map((error) => (error instanceof Error ? [error.message, error.stack, error.cause, { ...error }] : error));
    expectNone('errors', JSON.stringify(told));
  });

  it('are in no table, event or stored answer', async () => {
    const tables = await rowsOf<{ name: string }>(bench(), `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()`);
    expect(tables.map(({ name }) => name)).to.include.members(['account', 'session', 'verification', 'outbox', 'idempotency_key']);
    const rows = await Promise.all(tables.map(({ name }) => rowsOf(bench(), `SELECT t::text AS row FROM "${name}" AS t`)));
    expectNone('tables', JSON.stringify(rows));
  });
});
