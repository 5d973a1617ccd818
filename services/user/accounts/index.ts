import { join } from 'node:path';

import { idempotencyMigrations, type MigrationComponent } from '#database';
import { eventsMigrations } from '#events';
import type { SettingValues, Stoppable } from '#kit';
import { implement } from '#mesh';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import type { BuiltService } from '#service-module';

import { createAccessTokens } from './access-tokens.ts';
import type { Accounts } from './accounts.ts';
import { createDemoMaking } from './demo-making.ts';
import { accountHandlers } from './handlers.ts';
import { createLimits } from './limits.ts';
import { createPasswords } from './passwords.ts';
import { accountSettings } from './settings.ts';
import { createSigningKeys } from './signing-keys.ts';
import { startSweep } from './sweep.ts';

export { accountSettings };

export const accountMigrations: readonly MigrationComponent[] = [
  { name: 'account', directory: join(import.meta.dirname, 'migrations') },
  eventsMigrations,
  idempotencyMigrations,
];

interface Given extends Pick<Accounts, 'database' | 'clock' | 'random' | 'log'>, Partial<Pick<Accounts, 'passwords' | 'hooks'>> {
  readonly settings: SettingValues<typeof accountSettings>;
}

/** Accounts, as a second contract of the service of users. */
export function buildAccounts(given: Given): Required<Pick<BuiltService<never>, 'operations' | 'start' | 'stop'>> {
  const { database, clock, random, log, passwords = createPasswords({ random }), hooks = {}, settings } = given;
  const issueAccessToken = createAccessTokens({ keys: createSigningKeys({ database, clock, random }), clock, random });
  const accounts: Accounts = { database, passwords, limits: createLimits(database, clock), issueAccessToken, clock, random, log, hooks };
  const demoMaking = createDemoMaking(accounts, settings.MESH_DEMO_ACCOUNTS);
  let sweep: Stoppable | undefined;
  return {
    operations: implement(AccountService, accountHandlers(accounts, demoMaking)),
    start() {
      sweep = startSweep(database, { clock, log });
      demoMaking.made().catch((err: unknown) => log.warn({ err }, 'the demo accounts cannot be seen to; the next sign-in tries again'));
    },
    async stop() {
      await Promise.all([sweep?.stop(), demoMaking.stop()]);
    },
  };
}
