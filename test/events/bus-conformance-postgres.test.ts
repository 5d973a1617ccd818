import { fileURLToPath } from 'node:url';

import { migrate } from '#database';
import { EVENT_LOG_SCHEMA, eventLogMigrations } from '#events';
import { silentLog } from '#kit';

import { startTestServer } from '../database/postgres-fixture.ts';
import { busConformance } from './bus-conformance.ts';

busConformance('the event bus in Postgres', async () => {
  const server = await startTestServer();
  const address = server.postgres.url('postgres');
  await migrate({ url: address, schema: EVENT_LOG_SCHEMA, components: [eventLogMigrations], log: silentLog });
  return {
    address,
    opener: fileURLToPath(new URL('./bus-conformance-postgres.ts', import.meta.url)),
    async kill() {
      process.kill(server.postgres.pid, 'SIGKILL');
      await server.postgres.ended;
    },
    restart: () => server.restart(),
    stop: () => server.remove(),
  };
});
