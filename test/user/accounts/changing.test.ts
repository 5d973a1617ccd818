import { expect } from 'chai';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { newEmail, newRequestId, PASSWORD, rowsOf, useAccounts } from './accounts-bench.ts';

const NEW_PASSWORD = 'another horse battery';

describe('whoever is signed in', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  async function signedIn(): Promise<{ userId: string; email: string; refreshToken: string; other: string }> {
    const email = newEmail();
    const { userId } = await bench().newAccount(email);
    const [{ refreshToken }, { refreshToken: other }] = [await bench().signIn(email), await bench().signIn(email)];
    return { userId, email, refreshToken, other };
  }
  const refresh = (refreshToken: string) => bench().accounts.refresh({ refreshToken, requestId: newRequestId() });
  const generationsOf = async (userId: string): Promise<bigint[]> =>
    (await bench().accounts.listRevocations({})).revocations.filter((revocation) => revocation.userId === userId).map(({ generation }) => generation);

  it('signs out everywhere', async () => {
    const { userId, email, refreshToken, other } = await signedIn();
    expect((await bench().accounts.signOutEverywhere({ refreshToken })).account).to.include({ userId, email });
    await expectRefusal('SESSION_ENDED', refresh(refreshToken));
    await expectRefusal('SESSION_ENDED', refresh(other));
    expect(await generationsOf(userId)).to.deep.equal([1n]);
    await expectRefusal('SESSION_ENDED', bench().accounts.signOutEverywhere({ refreshToken }));
  });

  it('changes the password, and goes on with the only session there is then', async () => {
    const { userId, email, refreshToken, other } = await signedIn();
    const change = { refreshToken, currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    const { tokens } = await bench().accounts.changePassword(change);
    await expectRefusal('SESSION_ENDED', refresh(other));
    await expectRefusal('INVALID_CREDENTIALS', bench().signIn(email));
    await bench().accounts.signIn({ email, password: NEW_PASSWORD });
    await refresh(tokens?.refreshToken ?? '');
    expect(await generationsOf(userId)).to.deep.equal([1n]);
  });

  it('cannot change the password without the one before, nor to a bad one', async () => {
    const { email, refreshToken } = await signedIn();
    const change = { refreshToken, currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    await expectRefusal('INVALID_CREDENTIALS', bench().accounts.changePassword({ ...change, currentPassword: 'a wrong one' }));
    await expectRefusal('PASSWORD_REFUSED', bench().accounts.changePassword({ ...change, newPassword: 'password1' }));
    await expectRefusal('SESSION_ENDED', bench().accounts.changePassword({ ...change, refreshToken: 'A'.repeat(64) }));
    await bench().signIn(email);
  });

  it('can try the password of a stolen session 10 times, and then once in 30 s', async () => {
    const { refreshToken } = await signedIn();
    const tryWrong = () => bench().accounts.deleteAccount({ refreshToken, password: 'a wrong one' });
    for (let count = 0; count < 10; count += 1) await expectRefusal('INVALID_CREDENTIALS', tryWrong());
    await expectRefusal('TOO_MANY_ATTEMPTS', tryWrong());
  });

  it('deletes the account: nothing is left of the person, and the user stays for orders that name it', async () => {
    const { userId, email, refreshToken, other } = await signedIn();
    await bench().accounts.requestPasswordReset({ email });
    expect((await bench().accounts.deleteAccount({ refreshToken, password: PASSWORD })).account?.userId).to.equal(userId);
    await expectRefusal('SESSION_ENDED', refresh(other));
    await expectRefusal('INVALID_CREDENTIALS', bench().signIn(email));
    expect((await bench().users.getUser({ userId })).user).to.include({ userId, email: '', displayName: '' });
    expect(await generationsOf(userId)).to.deep.equal([1n]);
    for (const table of ['account', 'session', 'verification', 'users', 'attempt', 'revocation', 'idempotency_key', 'outbox']) {
      expect(JSON.stringify(await rowsOf(bench(), `SELECT t::text AS row FROM ${table} AS t`)), table).not.to.include(email);
    }
    const events = await rowsOf<{ type: string }>(bench(), `SELECT type FROM outbox WHERE key = $1`, [userId]);
    expect(events.map(({ type }) => type)).to.include('shop.user.v1.AccountDeleted');
  });

  it('can have another account with the address of one that was deleted, as another user', async () => {
    const { userId, email, refreshToken } = await signedIn();
    await bench().accounts.deleteAccount({ refreshToken, password: PASSWORD });
    expect((await bench().newAccount(email)).userId).not.to.equal(userId);
    await expectRefusal('USER_EXISTS', bench().users.createUser({ userId, email, displayName: 'Some One' }));
  });
});
