import type { CallContext, Handlers } from '#mesh';
import type { AccountService } from '#proto/shop/user/v1/account_pb.js';

import type { Accounts, Caller } from './accounts.ts';
import { changePassword, deleteAccount, signOutEverywhere } from './changing.ts';
import { clientAddress } from './client-address.ts';
import { accountToProto, codeToProto, keyToProto, revocationToProto, sessionToProto, signedInToProto } from './converters.ts';
import type { DemoMaking } from './demo-making.ts';
import { parseRefreshToken } from './refresh-token.ts';
import { refresh } from './refreshing.ts';
import { register, requestPasswordReset } from './requesting.ts';
import { listRevocations } from './revocation-store.ts';
import { endSessionOf, listSessions } from './session-store.ts';
import { requireSession } from './sessions.ts';
import { signIn } from './signing-in.ts';
import { listKeys } from './signing-key-store.ts';
import { issueVerificationCode, resetPassword, verifyEmail } from './verifying.ts';

export function accountHandlers(accounts: Accounts, demoMaking: Pick<DemoMaking, 'made'>): Handlers<typeof AccountService> {
  const { database, clock } = accounts;
  const now = (): Date => new Date(clock.now());

  return {
    async register(request, call) {
      return { verification: { verificationId: await register(accounts, request, call.effect, callerOf(call)) } };
    },
    async verifyEmail({ verificationId, code }, call) {
      return { account: accountToProto(await verifyEmail(accounts, { verificationId, code }, callerOf(call))) };
    },
    async requestPasswordReset(request, call) {
      return { verification: { verificationId: await requestPasswordReset(accounts, request, call.effect, callerOf(call)) } };
    },
    async resetPassword({ verificationId, code, newPassword }, call) {
      return { account: accountToProto(await resetPassword(accounts, { verificationId, code }, newPassword, callerOf(call))) };
    },
    async signIn({ email, password }, call) {
      await demoMaking.made();
      return signedInToProto(await signIn(accounts, email, password, callerOf(call)));
    },
    async refresh({ refreshToken, requestId }) {
      return signedInToProto(await refresh(accounts, refreshToken, requestId));
    },
    async listSessions({ refreshToken }) {
      const { userId } = await requireSession(accounts, refreshToken);
      return { sessions: (await listSessions(database, userId, now())).map(sessionToProto) };
    },
    async signOut({ refreshToken }) {
      const ended = await endSessionOf(database, parseRefreshToken(refreshToken), now());
      return { session: ended ? sessionToProto(ended) : {} };
    },
    async signOutEverywhere({ refreshToken }) {
      return { account: accountToProto(await signOutEverywhere(accounts, refreshToken)) };
    },
    async changePassword({ refreshToken, currentPassword, newPassword }, call) {
      return signedInToProto(await changePassword(accounts, refreshToken, currentPassword, newPassword, callerOf(call)));
    },
    async deleteAccount({ refreshToken, password }, call) {
      return { account: { userId: await deleteAccount(accounts, refreshToken, password, callerOf(call)) } };
    },
    async getSigningKeys() {
      return { keys: (await listKeys(database, now())).map(keyToProto) };
    },
    async listRevocations({ afterSequence }) {
      return { revocations: (await listRevocations(database, afterSequence, now())).map(revocationToProto) };
    },
    async issueVerificationCode({ verificationId }) {
      return codeToProto(await issueVerificationCode(accounts, verificationId));
    },
  };
}

function callerOf(call: CallContext): Caller {
  return { address: clientAddress(call), signal: call.signal };
}
