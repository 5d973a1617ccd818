import type { Stoppable } from '#kit';

import { findAccountByEmail, overwritePassword } from './account-store.ts';
import type { Accounts } from './accounts.ts';
import { DEMO_ACCOUNTS, type DemoAccount } from './demo-accounts.ts';
import { deleteDemoAccounts, insertDemoAccount } from './demo-store.ts';
import { emailKeyOf } from './email-key.ts';
import { announceRevocation } from './revocation-store.ts';
import { endAllSessions } from './session-store.ts';

/** Sees to the demo accounts once, when the service starts. */
export interface DemoMaking extends Stoppable {
  /** Resolves when they are as they are to be. Rejects when that cannot be done now: the next call tries again. */
  made(): Promise<void>;
}

/**
 * Where the demo accounts are wanted, they are there with their passwords, also after somebody has deleted one or changed its
 * password: a hash each, beside the start. Where they are not, those of an earlier start on the same tables are deleted, with
 * their sessions and tokens: everybody knows who they are. Sign-ins wait for either, and nothing else does.
 */
export function createDemoMaking(accounts: Accounts, areWanted: boolean): DemoMaking {
  const stopping = new AbortController();
  let making: Promise<void> | undefined;

  async function make(): Promise<void> {
    try {
      if (areWanted) await Promise.all(DEMO_ACCOUNTS.map((one) => makeOne(accounts, one, stopping.signal)));
      else await closeAll(accounts);
    } catch (thrown) {
      making = undefined;
      throw thrown;
    }
  }

  return {
    made: () => (making ??= make()),
    async stop() {
      stopping.abort();
      await making?.catch(() => undefined);
    },
  };
}

async function makeOne(accounts: Accounts, wanted: DemoAccount, signal: AbortSignal): Promise<void> {
  const { database, passwords, clock } = accounts;
  const known = await findAccountByEmail(database, emailKeyOf(wanted.email));
  // Somebody has registered with the address, and is none of ours to change.
  if (known && known.userId !== wanted.userId) return;
  if (known && (await passwords.verify(wanted.password, known.passwordHash, signal)) !== 'wrong') return;
  const passwordHash = await passwords.hash(wanted.password, signal);
  await database.transaction('account.make_demo', async (tx) => {
    if (!known) return insertDemoAccount(tx, wanted, passwordHash, new Date(clock.now()));
    const account = await overwritePassword(tx, known.userId, passwordHash);
    if (!account) return;
    await endAllSessions(tx, account.userId);
    await announceRevocation(tx, account, clock);
  });
}

/** Whatever their passwords are by now: nobody else has such ids, for those that register get UUIDs. */
async function closeAll({ database, clock }: Accounts): Promise<void> {
  await database.transaction('account.close_demo', async (tx) => {
    const deleted = await deleteDemoAccounts(tx, DEMO_ACCOUNTS.map(({ userId }) => userId));
    for (const { userId, generation } of deleted) await announceRevocation(tx, { userId, generation: generation + 1n }, clock);
  });
}
