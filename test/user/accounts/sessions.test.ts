import { expect } from 'chai';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { type AccountsBench, newEmail, newRequestId, rowsOf, startAccounts, useAccounts } from './accounts-bench.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Refreshes as another request each time, or as a given one. */
async function refresh({ accounts }: AccountsBench, refreshToken: string, requestId = newRequestId()): Promise<string> {
  const { tokens } = await accounts.refresh({ refreshToken, requestId });
  return tokens?.refreshToken ?? '';
}

async function signedIn(bench: AccountsBench): Promise<{ userId: string; email: string; refreshToken: string }> {
  const email = newEmail();
  const { userId } = await bench.newAccount(email);
  return { userId, email, refreshToken: (await bench.signIn(email)).refreshToken };
}

const revokedOf = async (bench: AccountsBench, userId: string): Promise<number> =>
  (await bench.accounts.listRevocations({})).revocations.filter((revocation) => revocation.userId === userId).length;

describe('a session', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  it('gets a new refresh token with each refresh', async () => {
    const { refreshToken: first } = await signedIn(bench());
    const second = await refresh(bench(), first);
    const third = await refresh(bench(), second);
    expect(new Set([first, second, third])).to.have.length(3);
    const { sessions } = await bench().accounts.listSessions({ refreshToken: third });
    expect(sessions.map(({ refreshes }) => refreshes)).to.deep.equal([2n]);
  });

  it('gets the same token when the same refresh is sent again, also at once', async () => {
    const { refreshToken } = await signedIn(bench());
    const requestId = newRequestId();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(bench(), refreshToken, requestId)));
    answers.push(await refresh(bench(), refreshToken, requestId));
    expect(new Set(answers)).to.have.length(1);
    await refresh(bench(), answers[0] ?? '');
  });

  it('ends when a token comes again that was used up, whoever of the two has it', async () => {
    const { userId, refreshToken: stolen } = await signedIn(bench());
    const ofOwner = await refresh(bench(), stolen);
    await expectRefusal('SESSION_ENDED', refresh(bench(), stolen));
    await expectRefusal('SESSION_ENDED', refresh(bench(), ofOwner));
    expect(await revokedOf(bench(), userId)).to.equal(1);
    expect(bench().log.filter(({ msg }) => msg.includes('came again'))).to.have.length(1);
  });

  it('goes on for the thief without that guard', async () => {
    const guardless = await startAccounts({ beside: bench(), hooks: { withoutReuseDetection: true } });
    const { refreshToken: stolen } = await signedIn(guardless);
    const ofThief = await refresh(guardless, stolen);
    await expectRefusal('SESSION_ENDED', refresh(guardless, stolen));
    await refresh(guardless, ofThief);
    await guardless.stop();
  });

  it('ends, too, when the same refresh is sent again after a minute, or after the next one', async () => {
    const late = await signedIn(bench());
    const requestId = newRequestId();
    await refresh(bench(), late.refreshToken, requestId);
    bench().clock.advance(60_001);
    await expectRefusal('SESSION_ENDED', refresh(bench(), late.refreshToken, requestId));
    const passed = await signedIn(bench());
    await refresh(bench(), await refresh(bench(), passed.refreshToken, requestId));
    await expectRefusal('SESSION_ENDED', refresh(bench(), passed.refreshToken, requestId));
  });

  it('leaves the account\'s other sessions alone when it ends', async () => {
    const { email, refreshToken } = await signedIn(bench());
    const { refreshToken: other } = await bench().signIn(email);
    await refresh(bench(), refreshToken);
    await expectRefusal('SESSION_ENDED', refresh(bench(), refreshToken));
    await refresh(bench(), other);
  });

  it('lasts 30 days from its last refresh', async () => {
    const { refreshToken } = await signedIn(bench());
    bench().clock.advance(29 * DAY_MS);
    const next = await refresh(bench(), refreshToken);
    bench().clock.advance(29 * DAY_MS);
    const last = await refresh(bench(), next);
    bench().clock.advance(30 * DAY_MS);
    await expectRefusal('SESSION_ENDED', refresh(bench(), last));
  });

  it('ends by signing out, also when that is sent again', async () => {
    const { refreshToken } = await signedIn(bench());
    const { session } = await bench().accounts.signOut({ refreshToken });
    expect(session?.sessionId).to.have.length(36);
    bench().clock.advance(1_000);
    expect((await bench().accounts.signOut({ refreshToken })).session).to.deep.equal(session);
    await expectRefusal('SESSION_ENDED', refresh(bench(), refreshToken));
  });

  it('is one of 50: with the next the one ends that was idle longest', async () => {
    const { email, refreshToken: first } = await signedIn(bench());
    bench().clock.advance(1_000);
    const tokens: string[] = [];
    for (let count = 0; count < 50; count += 1) tokens.push((await bench().signIn(email)).refreshToken);
    await expectRefusal('SESSION_ENDED', refresh(bench(), first));
    expect((await bench().accounts.listSessions({ refreshToken: tokens[0] ?? '' })).sessions).to.have.length(50);
  });

  it('is known by hashes only', async () => {
    const { refreshToken } = await signedIn(bench());
    const next = await refresh(bench(), refreshToken);
    const bytes = [refreshToken, next].flatMap((token) => [Buffer.from(token, 'base64url').subarray(0, 16), Buffer.from(token, 'base64url').subarray(16)]);
    const rows = JSON.stringify(await rowsOf(bench(), 'SELECT session::text AS row FROM session'));
    for (const secret of bytes) expect(rows).not.to.include(secret.toString('hex'));
  });

  it('is not found by a token that nobody gave out', async () => {
    await expectRefusal('SESSION_ENDED', refresh(bench(), 'A'.repeat(64)));
    expect((await bench().accounts.signOut({ refreshToken: 'A'.repeat(64) })).session?.sessionId).to.equal('');
  });
});
