import { silentLog, systemClock } from '#kit';
import { createMesh, warmUpValidation } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { startTracing } from '#tracing';

import { userOf } from './user.ts';

/** The whole runtime around a handler that does nothing; every call is traced and its spans are sent. */
const tracing = await startTracing({ exporter: 'otlp', otlpEndpoint: process.argv[2] ?? '', sampleRatio: 1, log: silentLog });
await tracing.ready;
const mesh = createMesh({
  clock: systemClock,
  log: silentLog,
  openChannel: () => {
    throw new Error('this server calls nobody');
  },
});
for (const method of UserService.methods) warmUpValidation(method);
const hosted = mesh.host({
  contract: UserService,
  handlers: {
    getUser: async ({ userId }) => userOf(userId),
    createUser: async ({ userId }) => userOf(userId),
    listUsers: async () => ({ users: [] }),
  },
  tracer: tracing.tracer({ service: 'user', version: 'bench', instanceId: 'bench' }),
  log: silentLog,
  check: async () => {},
});
const { port } = await hosted.listen('127.0.0.1', 0);
process.send?.({ port });
process.on('disconnect', () => process.exit(0));
