import { join } from 'node:path';

import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { defineService } from '#service-module';

import { userHandlers } from './handlers.ts';

export const service = defineService({
  name: 'user',
  contract: UserService,
  dependencies: {},
  settings: {},
  migrations: [{ name: 'user', directory: join(import.meta.dirname, 'migrations') }],
  build: (given) => ({ handlers: userHandlers(given) }),
});
