import { createIdempotencyStore, type Database, idempotencyMigrations, type IdempotencyStore, migrate } from '#database';
import { silentLog } from '#kit';

import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase } from './postgres-fixture.ts';

/** How long a claim waits for another one's transaction, unless the wait is what is tested. */
export const WAIT_MS = 10_000;

const CLEAR = { name: 'test.clear', text: 'DELETE FROM idempotency_key' };
const WAITING = { name: 'test.waiting', text: `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()` };

/** The idempotency store on tables of its own. */
export interface IdempotencyFixture {
  readonly url: string;
  readonly database: Database;
  readonly store: IdempotencyStore;
  /** How many transactions wait for another one. */
  waiting(): Promise<number>;
  /** Forgets all keys. */
  clear(): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startIdempotencyFixture(): Promise<IdempotencyFixture> {
  const { url, drop } = await createTestDatabase();
  await migrate({ url, schema: 'shop', components: [idempotencyMigrations], log: silentLog });
  const database = openTestDatabase({ url });
  return {
    url,
    database,
    store: createIdempotencyStore(database),
    waiting: async () => (await database.query(WAITING, [])).length,
    clear: () => database.query(CLEAR, []),
    async stop() {
      await database.stop();
      await drop();
    },
  };
}
