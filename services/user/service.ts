import { join } from 'node:path';

import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { defineService } from '#service-module';

import { accountMigrations, accountSettings, buildAccounts } from './accounts/index.ts';
import { userHandlers } from './handlers.ts';

export const service = defineService({
  name: 'user',
  contract: UserService,
  operations: AccountService,
  dependencies: {},
  settings: accountSettings,
  migrations: [{ name: 'user', directory: join(import.meta.dirname, 'migrations') }, ...accountMigrations],
  build: (given) => ({ handlers: userHandlers(given), ...buildAccounts(given) }),
});
