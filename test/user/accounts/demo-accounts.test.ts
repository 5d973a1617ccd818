import { expect } from 'chai';

import { DEMO_ACCOUNTS, DEMO_BUYER } from '../../../services/user/accounts/demo-accounts.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { type AccountsBench, type BenchOptions, cheapArgon2id, newRequestId, PASSWORD, rowsOf, startAccounts, useAccounts } from './accounts-bench.ts';

describe('demo accounts', function () {
  this.timeout(20_000);
  /** Where nobody wants demo accounts. */
  const plain = useAccounts();
  let bench: AccountsBench;
  const started: AccountsBench[] = [];
  beforeEach(async () => {
    await rowsOf(plain(), 'TRUNCATE users, account, session, revocation, attempt');
    bench = await again();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((each) => each.stop()));
  });

  /** Another start on the same tables. */
  async function again(options: BenchOptions = {}): Promise<AccountsBench> {
    const next = await startAccounts({ beside: plain(), demo: true, ...options });
    started.push(next);
    return next;
  }

  const signInAsDemo = ({ accounts }: AccountsBench) => accounts.signIn(DEMO_BUYER);

  it('are there for the first sign-in, with their roles', async () => {
    for (const { userId, email, password, roles } of DEMO_ACCOUNTS) {
      expect((await bench.accounts.signIn({ email, password })).session?.userId).to.equal(userId);
      expect(await rowsOf(bench, 'SELECT roles FROM account WHERE user_id = $1', [userId])).to.deep.equal([{ roles }]);
      expect((await bench.users.getUser({ userId })).user).to.include({ email });
    }
  });

  it('are nobody\'s where they are not wanted', async () => {
    await expectRefusal('INVALID_CREDENTIALS', signInAsDemo(await again({ demo: false })));
  });

  it('are deleted by a start that does not want them, with sessions and tokens, whatever their passwords are by then', async () => {
    const { tokens } = await signInAsDemo(bench);
    const taken = await bench.accounts.changePassword({ refreshToken: tokens?.refreshToken ?? '', currentPassword: DEMO_BUYER.password, newPassword: PASSWORD });
    const without = await again({ demo: false });
    await expectRefusal('INVALID_CREDENTIALS', without.accounts.signIn({ email: DEMO_BUYER.email, password: PASSWORD }));
    expect(without.hashes(), 'as an unknown address').to.equal(1);
    expect(await rowsOf(plain(), 'SELECT user_id FROM account')).to.deep.equal([]);
    await expectRefusal('SESSION_ENDED', without.accounts.refresh({ refreshToken: taken.tokens?.refreshToken ?? '', requestId: newRequestId() }));
    expect((await without.accounts.listRevocations({})).revocations.map(({ userId }) => userId)).to.include.members(DEMO_ACCOUNTS.map(({ userId }) => userId));
  });

  it('come back with tokens that are good, though those of before are void', async () => {
    await signInAsDemo(bench);
    await signInAsDemo(await again({ demo: false })).catch(() => undefined);
    await signInAsDemo(await again());
    const text = 'SELECT account.generation >= max(revocation.generation) AS good FROM account JOIN revocation USING (user_id) WHERE user_id = $1 GROUP BY account.generation';
    expect(await rowsOf(plain(), text, [DEMO_BUYER.userId])).to.deep.equal([{ good: true }]);
  });

  it('are made once: another start finds them, and leaves their sessions', async () => {
    const { tokens } = await signInAsDemo(bench);
    const next = await again();
    await signInAsDemo(next);
    // One of each password to see that it is still so, and that of the sign-in.
    expect(next.hashes()).to.equal(DEMO_ACCOUNTS.length + 1);
    expect((await next.accounts.listSessions({ refreshToken: tokens?.refreshToken ?? '' })).sessions).to.have.length(2);
  });

  it('have their password again with the next start when somebody has changed it, who is signed out by that', async () => {
    const { tokens } = await signInAsDemo(bench);
    const changed = await bench.accounts.changePassword({ refreshToken: tokens?.refreshToken ?? '', currentPassword: DEMO_BUYER.password, newPassword: PASSWORD });
    await expectRefusal('INVALID_CREDENTIALS', signInAsDemo(bench));
    const next = await again();
    await signInAsDemo(next);
    await expectRefusal('SESSION_ENDED', next.accounts.listSessions({ refreshToken: changed.tokens?.refreshToken ?? '' }));
    expect((await next.accounts.listRevocations({})).revocations.at(-1)).to.include({ userId: DEMO_BUYER.userId, generation: 2n });
  });

  it('are there again with the next start when somebody has deleted one', async () => {
    const { tokens } = await signInAsDemo(bench);
    await bench.accounts.deleteAccount({ refreshToken: tokens?.refreshToken ?? '', password: DEMO_BUYER.password });
    await expectRefusal('INVALID_CREDENTIALS', signInAsDemo(bench));
    const next = await again();
    await signInAsDemo(next);
    expect((await next.users.getUser({ userId: DEMO_BUYER.userId })).user).to.include({ email: DEMO_BUYER.email, displayName: DEMO_BUYER.displayName });
  });

  it('take no account from somebody who has registered with their address', async () => {
    const { userId } = await plain().newAccount(DEMO_BUYER.email);
    await expectRefusal('INVALID_CREDENTIALS', signInAsDemo(bench));
    const { session } = await bench.accounts.signIn({ email: DEMO_BUYER.email, password: PASSWORD });
    expect(session?.userId).to.equal(userId);
  });

  it('are tried again at the next sign-in when they could not be made', async () => {
    let isBroken = true;
    const broken = await again({
      argon2id: async (input) => {
        if (isBroken) throw new Error('no memory for a hash');
        return cheapArgon2id(input);
      },
    });
    await expectRefusal('INTERNAL', signInAsDemo(broken));
    isBroken = false;
    expect((await signInAsDemo(broken)).session?.userId).to.equal(DEMO_BUYER.userId);
  });
});
