import { createPostgresBus, EVENT_LOG_SCHEMA } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';

import { openTestDatabase } from '../database/open-test-database.ts';
import type { OpenerModule } from './bus-conformance-support.ts';

/** A bus with short times, and connections of its own. */
export const openBus: OpenerModule['openBus'] = (url) => {
  const database = openTestDatabase({ url, schema: EVENT_LOG_SCHEMA, maxConnections: 8 });
  const bus = createPostgresBus({ database, clock: systemClock, random: systemRandom, log: silentLog, leaseMs: 1_000, pollMs: 50 });
  return {
    ...bus,
    async stop() {
      await bus.stop();
      await database.stop();
    },
  };
};
