import type { Accounts } from './accounts.ts';
import { raiseGeneration } from './account-store.ts';
import type { Session } from './domain.ts';
import { announceRevocation } from './revocation-store.ts';
import { endSession } from './session-store.ts';

/**
 * Ends a session of which a token came that was used up: two have had it, and nobody knows which of them is its owner (RFC
 * 9700, 4.14.2). The access tokens of the account are voided too; its other sessions get new ones by a refresh.
 */
export async function endStolenSession({ database, clock, log, hooks }: Accounts, { sessionId, userId }: Session): Promise<void> {
  if (hooks.withoutReuseDetection) return;
  const isEnded = await database.transaction('session.end_stolen', async (tx) => {
    const account = await raiseGeneration(tx, userId);
    if (!account || !(await endSession(tx, sessionId))) return false;
    await announceRevocation(tx, account, clock);
    return true;
  });
  if (isEnded) log.warn({ session: sessionId, user: userId }, 'a refresh token came again after it was used; its session was ended, since somebody else may have it');
}
