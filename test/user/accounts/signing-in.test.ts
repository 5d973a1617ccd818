import { expect } from 'chai';

import { formatHash, parseHash } from '../../../services/user/accounts/password-hash.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { type AccountsBench, ADDRESS_HEADER, cheapArgon2id, newEmail, PASSWORD, rowsOf, startAccounts, useAccounts } from './accounts-bench.ts';

/** What somebody learns who tries a wrong password: everything of the answer, and the hashes it cost. */
async function tryWrong(bench: AccountsBench, email: string): Promise<object> {
  const before = bench.hashes();
  const { code, reason, message, metadata, violations } = await expectRefusal('INVALID_CREDENTIALS', bench.accounts.signIn({ email, password: 'a wrong one' }));
  return { code, reason, message, metadata, violations, hashes: bench.hashes() - before };
}

describe('sign-in', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  it('begins a session of its own each time', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const [one, other] = [await bench().signIn(email), await bench().signIn(email)];
    expect(one.refreshToken).not.to.equal(other.refreshToken);
    const { sessions } = await bench().accounts.listSessions({ refreshToken: one.refreshToken });
    expect(sessions).to.have.length(2);
  });

  it('answers an unknown address and a wrong password alike, at the cost of one hash', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const known = await tryWrong(bench(), email);
    expect(known).to.include({ hashes: 1, code: 'UNAUTHENTICATED' });
    expect(await tryWrong(bench(), newEmail())).to.deep.equal(known);
  });

  it('would tell an unknown address by its cost without the decoy', async () => {
    const guardless = await startAccounts({ beside: bench(), withoutDecoy: true });
    const email = newEmail();
    await bench().newAccount(email);
    expect(await tryWrong(guardless, email)).to.include({ hashes: 1 });
    expect(await tryWrong(guardless, newEmail())).to.include({ hashes: 0 });
    await guardless.stop();
  });

  it('takes a password in whatever way its characters are made up', async () => {
    const email = newEmail();
    const { verification } = await bench().accounts.register({ email, password: 'caf\u00e9 cr\u00e8me', displayName: 'A' });
    const verificationId = verification?.verificationId ?? '';
    const { code } = await bench().accounts.issueVerificationCode({ verificationId });
    await bench().accounts.verifyEmail({ verificationId, code });
    await bench().accounts.signIn({ email, password: 'cafe\u0301 cre\u0300me' });
  });

  it('makes the hash anew that was made at another cost, when it has the password', async () => {
    const email = newEmail();
    const { userId } = await bench().newAccount(email);
    const hashOf = async (): Promise<string> => {
      const [row] = await rowsOf<{ hash: string }>(bench(), 'SELECT password_hash AS hash FROM account WHERE user_id = $1', [userId]);
      return row?.hash ?? '';
    };
    const { salt } = parseHash(await hashOf());
    const cost = { memoryKiB: 4_096, passes: 1, lanes: 1 };
    const weak = formatHash({ cost, salt, tag: await cheapArgon2id({ password: PASSWORD, salt, cost, tagBytes: 32 }) });
    await rowsOf(bench(), 'UPDATE account SET password_hash = $2 WHERE user_id = $1', [userId, weak]);
    await bench().signIn(email);
    expect(await hashOf()).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await bench().signIn(email);
  });

  it('begins no session by a password that was changed while it was checked', async () => {
    const email = newEmail();
    let onceChecked = async (): Promise<unknown> => undefined;
    const slow = await startAccounts({
      beside: bench(),
      async argon2id(input) {
        const tag = await cheapArgon2id(input);
        await onceChecked();
        return tag;
      },
    });
    const { userId } = await slow.newAccount(email);
    onceChecked = () => rowsOf(bench(), `UPDATE account SET password_hash = replace(password_hash, 't=2', 't=3') WHERE user_id = $1`, [userId]);
    await expectRefusal('INVALID_CREDENTIALS', slow.signIn(email));
    await slow.stop();
  });
});

describe('attempts to sign in', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  const tryFrom = (address: string, email: string, password = 'a wrong one', on = bench()) =>
    on.accounts.signIn({ email, password }, { headers: { [ADDRESS_HEADER]: address } });

  it('are 10 of one account from one address, for all instances together, and then one in 30 s', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const other = await startAccounts({ beside: bench() });
    for (let count = 0; count < 5; count += 1) {
      await expectRefusal('INVALID_CREDENTIALS', tryFrom('192.0.2.1', email));
      await expectRefusal('INVALID_CREDENTIALS', tryFrom('192.0.2.1', email, 'another', other));
    }
    const before = bench().hashes();
    const refused = await expectRefusal('TOO_MANY_ATTEMPTS', tryFrom('192.0.2.1', email, PASSWORD));
    expect(refused).to.deep.include({ code: 'RESOURCE_EXHAUSTED', metadata: { retryInMs: '30000' } });
    expect(bench().hashes()).to.equal(before);
    bench().clock.advance(30_000);
    await tryFrom('192.0.2.1', email, PASSWORD);
    await other.stop();
  });

  it('from one address keep nobody else out', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    for (let count = 0; count < 10; count += 1) await expectRefusal('INVALID_CREDENTIALS', tryFrom('192.0.2.2', email));
    await expectRefusal('TOO_MANY_ATTEMPTS', tryFrom('192.0.2.2', email));
    await tryFrom('198.51.100.7', email, PASSWORD);
  });

  it('of many accounts from one address end too', async () => {
    for (let count = 0; count < 60; count += 1) await expectRefusal('INVALID_CREDENTIALS', tryFrom('2001:db8::1', newEmail()));
    await expectRefusal('TOO_MANY_ATTEMPTS', tryFrom('2001:db8::1', newEmail()));
  });

  it('are given back by the right password', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    for (let count = 0; count < 30; count += 1) await tryFrom('192.0.2.3', email, PASSWORD);
  });

  it('are counted under names that tell nobody\'s address', async () => {
    const email = newEmail();
    await expectRefusal('INVALID_CREDENTIALS', tryFrom('192.0.2.4', email));
    const rows = JSON.stringify(await rowsOf(bench(), 'SELECT key FROM attempt'));
    expect(rows).not.to.include(email).and.not.include('192.0.2.4');
  });
});
