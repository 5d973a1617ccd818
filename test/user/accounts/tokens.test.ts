import { expect } from 'chai';

import { silentLog } from '#kit';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';

import { createRevocationList, type RevocationList } from '../../../mesh/identity/revocation-list.ts';
import { createTokenKeySet } from '../../../mesh/identity/token-key-set.ts';
import { createTokenVerifier, type VerifyToken } from '../../../mesh/identity/token-verifier.ts';
import { sweepAccounts } from '../../../services/user/accounts/sweep.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { type AccountsBench, newEmail, newRequestId, rowsOf, startAccounts, useAccounts } from './accounts-bench.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** What any process of the shop does with the service's keys and revocations. */
function verifierOf({ accounts, clock }: AccountsBench): { verify: VerifyToken; revocations: RevocationList; poll(): Promise<void> } {
  const revocations = createRevocationList(clock);
  const keys = createTokenKeySet({
    fetch: async () => (await accounts.getSigningKeys({})).keys.map(({ kid, x, expireTime }) => ({ keyId: kid, x, expireTimeMs: Number(expireTime?.seconds) * 1_000 })),
    clock,
    log: silentLog,
    pauseMs: 0,
  });
  return {
    revocations,
    verify: createTokenVerifier({ keys, clock, issuer: AccountService.typeName, audience: 'shopmesh', isRevoked: revocations.isRevoked }),
    async poll() {
      const answer = await accounts.listRevocations({ afterSequence: revocations.lastSequence });
      revocations.add(
        answer.revocations.map(({ sequence, userId, generation, expireTime }) => ({
          ...{ sequence, userId, generation: Number(generation), expireTimeMs: Number(expireTime?.seconds) * 1_000 },
        })),
      );
    },
  };
}

describe('access tokens', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  it('say who it is to whoever has the published keys, for five minutes', async () => {
    const email = newEmail();
    const { userId } = await bench().newAccount(email);
    const { accessToken } = await bench().signIn(email);
    const { verify } = verifierOf(bench());
    const token = await verify(accessToken);
    expect(token).to.deep.include({ userId, roles: ['customer'], generation: 0 });
    expect(token.expireTimeMs - bench().clock.now()).to.be.within(5 * MINUTE_MS - 1_000, 5 * MINUTE_MS);
    bench().clock.advance(5 * MINUTE_MS + 29_000);
    await verify(accessToken);
    bench().clock.advance(2_000);
    expect((await expectRefusal('ACCESS_TOKEN_REFUSED', verify(accessToken))).metadata).to.deep.equal({ why: 'expired' });
  });

  it('are void within their lifetime once their owner has signed out everywhere', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const { accessToken, refreshToken } = await bench().signIn(email);
    const { verify, poll } = verifierOf(bench());
    await bench().accounts.signOutEverywhere({ refreshToken });
    await verify(accessToken);
    await poll();
    expect((await expectRefusal('ACCESS_TOKEN_REFUSED', verify(accessToken))).metadata).to.deep.equal({ why: 'revoked' });
    await verify((await bench().signIn(email)).accessToken);
  });

  it('of a stolen session are void, and other sessions go on with new ones', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const [stolen, other] = [await bench().signIn(email), await bench().signIn(email)];
    const refresh = (refreshToken: string) => bench().accounts.refresh({ refreshToken, requestId: newRequestId() });
    const { tokens } = await refresh(stolen.refreshToken);
    await expectRefusal('SESSION_ENDED', refresh(stolen.refreshToken));
    const { verify, poll } = verifierOf(bench());
    await poll();
    await expectRefusal('ACCESS_TOKEN_REFUSED', verify(tokens?.accessToken ?? ''));
    await expectRefusal('ACCESS_TOKEN_REFUSED', verify(other.accessToken));
    await verify((await refresh(other.refreshToken)).tokens?.accessToken ?? '');
  });

  it('are revoked in an order that misses none, also when many are at once', async () => {
    const { revocations, poll } = verifierOf(bench());
    await poll();
    const emails = Array.from({ length: 8 }, newEmail);
    const users = await Promise.all(emails.map((email) => bench().newAccount(email)));
    const tokens = await Promise.all(emails.map((email) => bench().signIn(email)));
    const signedOut = tokens.map(({ refreshToken }) => bench().accounts.signOutEverywhere({ refreshToken }));
    for (const one of signedOut) {
      await one;
      await poll();
    }
    for (const { userId } of users) expect(revocations.isRevoked({ userId, generation: 0 })).to.equal(true);
  });
});

describe('keys of access tokens', function () {
  this.timeout(20_000);
  const bench = useAccounts();

  const kidOf = (accessToken: string): string => JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString()).kid;
  const published = async (): Promise<string[]> => (await bench().accounts.getSigningKeys({})).keys.map(({ kid }) => kid);

  it('change each day, and the old one is published until its last token has expired', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const first = await bench().signIn(email);
    expect(kidOf((await bench().signIn(email)).accessToken)).to.equal(kidOf(first.accessToken));
    bench().clock.advance(DAY_MS - MINUTE_MS);
    const last = await bench().signIn(email);
    expect(kidOf(last.accessToken)).to.equal(kidOf(first.accessToken));
    bench().clock.advance(2 * MINUTE_MS);
    const next = await bench().signIn(email);
    expect(kidOf(next.accessToken)).not.to.equal(kidOf(first.accessToken));
    const { verify } = verifierOf(bench());
    await verify(last.accessToken);
    await verify(next.accessToken);
    bench().clock.advance(20 * MINUTE_MS);
    await sweepAccounts(bench().database, bench().clock);
    expect(await published()).to.deep.equal([kidOf(next.accessToken)]);
  });

  it('are each instance\'s own, and every instance publishes all of them', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const other = await startAccounts({ beside: bench() });
    const tokens = [(await bench().signIn(email)).accessToken, (await other.signIn(email)).accessToken];
    expect(new Set(tokens.map(kidOf))).to.have.length(2);
    const { verify } = verifierOf(bench());
    for (const token of tokens) await verify(token);
    await other.stop();
  });

  it('are published anew while they are in use', async () => {
    const email = newEmail();
    await bench().newAccount(email);
    const { verify } = verifierOf(bench());
    for (let count = 0; count < 6; count += 1) {
      bench().clock.advance(9 * MINUTE_MS);
      await sweepAccounts(bench().database, bench().clock);
      await verify((await bench().signIn(email)).accessToken);
    }
  });

  it('have no private part in any table', async () => {
    const columns = await rowsOf<{ key: object }>(bench(), 'SELECT to_jsonb(signing_key) AS key FROM signing_key');
    expect(columns).to.have.length.above(0);
    for (const { key } of columns) expect(Object.keys(key)).to.have.members(['key_id', 'x', 'create_time', 'expire_time']);
  });
});
