import { create } from '@bufbuild/protobuf';
import { context, trace, TraceFlags } from '@opentelemetry/api';
import { expect } from 'chai';

import { MeshError, refusal, silentLog, systemRandom } from '#kit';
import { type Client, currentCall, describeMethod } from '#mesh';
import { AccountService, GetSigningKeysRequestSchema } from '#proto/shop/user/v1/account_pb.js';

import { connectTokens, type Tokens } from '../../cli/serving/connect-tokens.ts';
import { withCallContext } from '../../mesh/call-context.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { createServerCall } from '../mesh/support/server-call.ts';
import { useTracePropagation } from '../mesh/support/telemetry.ts';
import { newEmail, useAccounts } from '../user/accounts/accounts-bench.ts';

const ASK_EVERY_MS = 20;

/** Where a question was asked from. */
interface Asked {
  readonly method: 'keys' | 'revocations';
  readonly withinCall: boolean;
  readonly isRecorded: boolean;
}

describe('what a process knows of access tokens', function () {
  this.timeout(20_000);
  useTracePropagation();
  const bench = useAccounts();
  let tokens: Tokens;
  let asked: Asked[];
  let isAway: boolean;
  /** Tells its keys, and not which tokens are void. */
  let isSilent: boolean;
  beforeEach(() => {
    asked = [];
    isAway = false;
    isSilent = false;
    tokens = connectTokens({ accounts: watched(bench().accounts), clock: bench().clock, random: systemRandom, log: silentLog, askEveryMs: ASK_EVERY_MS });
  });
  afterEach(() => tokens.stop());

  /** The stub, with an eye on who asks. */
  function watched(accounts: Client<typeof AccountService>): Client<typeof AccountService> {
    const note = async (method: Asked['method']): Promise<void> => {
      const span = trace.getSpanContext(context.active());
      asked.push({ method, withinCall: currentCall() !== undefined, isRecorded: span === undefined || span.traceFlags === TraceFlags.SAMPLED });
      if (isAway || (method === 'revocations' && isSilent)) throw refusal('UNREACHABLE', 'user could not be reached; try again in a moment');
    };
    return {
      ...accounts,
      getSigningKeys: (request, options) => note('keys').then(() => accounts.getSigningKeys(request, options)),
      listRevocations: (request, options) => note('revocations').then(() => accounts.listRevocations(request, options)),
    };
  }

  async function signedIn(): Promise<{ readonly userId: string; readonly accessToken: string; readonly refreshToken: string }> {
    const email = newEmail();
    const { userId } = await bench().newAccount(email);
    return { userId, ...(await bench().signIn(email)) };
  }

  it('comes from the user service, which is asked nothing before the first token', async () => {
    const { userId, accessToken } = await signedIn();
    expect(asked).to.deep.equal([]);
    expect((await tokens.verify(accessToken)).userId).to.equal(userId);
    expect(asked.map(({ method }) => method)).to.include.members(['keys', 'revocations']);
  });

  it('has the first token refused that was void before', async () => {
    const { accessToken, refreshToken } = await signedIn();
    await bench().accounts.signOutEverywhere({ refreshToken });
    expect((await expectRefusal('ACCESS_TOKEN_REFUSED', tokens.verify(accessToken))).metadata).to.deep.equal({ why: 'revoked' });
  });

  it('follows who signs out everywhere', async () => {
    const { accessToken, refreshToken } = await signedIn();
    await tokens.verify(accessToken);
    await bench().accounts.signOutEverywhere({ refreshToken });
    await until('the token is void', () => tokens.verify(accessToken).then(() => false, () => true));
    expect((await expectRefusal('ACCESS_TOKEN_REFUSED', tokens.verify(accessToken))).metadata).to.deep.equal({ why: 'revoked' });
  });

  it('lets no token pass before it was heard once which ones are void', async () => {
    const { accessToken, refreshToken } = await signedIn();
    await bench().accounts.signOutEverywhere({ refreshToken });
    isSilent = true;
    const refused = await expectRefusal('TOKEN_KEYS_UNKNOWN', tokens.verify(accessToken));
    expect(refused.retry).to.deep.equal({ kind: 'not-started', afterMs: 1_000 });
    isSilent = false;
    const outcome = (): Promise<string> => tokens.verify(accessToken).then(() => 'taken', (thrown: unknown) => MeshError.from(thrown).reason);
    await until('it has heard', async () => (await outcome()) !== 'TOKEN_KEYS_UNKNOWN');
    expect(await outcome()).to.equal('ACCESS_TOKEN_REFUSED');
  });

  it('says of a token that was verified when it is void', async () => {
    const { accessToken, refreshToken } = await signedIn();
    const token = await tokens.verify(accessToken);
    expect(tokens.isRevoked(token)).to.equal(false);
    await bench().accounts.signOutEverywhere({ refreshToken });
    await until('it is void', () => tokens.isRevoked(token));
  });

  it('holds while the user service is away', async () => {
    const [first, second] = [await signedIn(), await signedIn()];
    await tokens.verify(first.accessToken);
    isAway = true;
    const before = asked.length;
    await until('it was asked in vain', () => asked.length > before);
    await tokens.verify(first.accessToken);
    // By the key that is known.
    await tokens.verify(second.accessToken);
    await bench().accounts.signOutEverywhere({ refreshToken: first.refreshToken });
    isAway = false;
    await until('the token is void', () => tokens.verify(first.accessToken).then(() => false, () => true));
  });

  it('is asked for outside of the call that brings the token, which may end, and without a trace', async () => {
    const { accessToken } = await signedIn();
    const call = createServerCall(describeMethod(AccountService.method.getSigningKeys), create(GetSigningKeysRequestSchema));
    await context.with(withCallContext(context.active(), call), () => tokens.verify(accessToken));
    await until('it has asked again', () => asked.filter(({ method }) => method === 'revocations').length > 1);
    expect(asked.filter(({ withinCall }) => withinCall)).to.deep.equal([]);
    expect(asked.filter(({ isRecorded }) => isRecorded)).to.deep.equal([]);
  });

  it('stops at once, also in the pause between two questions', async () => {
    const patient = connectTokens({ accounts: bench().accounts, clock: bench().clock, random: systemRandom, log: silentLog, askEveryMs: 3_600_000 });
    await patient.verify((await signedIn()).accessToken);
    await patient.stop();
  });
});
