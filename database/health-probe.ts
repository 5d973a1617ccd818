import { type Clock, refusal } from '#kit';

import type { Availability } from './availability.ts';
import type { ConnectionPool } from './pool.ts';

const TIMEOUT_MS = 1_000;

/** See `Database.ping`. */
export function createHealthProbe(pool: ConnectionPool, availability: Availability, place: string, clock: Clock): () => Promise<void> {
  return async () => {
    // A pool that is busy proves its database, and would make the probe wait.
    if (pool.isCrowded() && availability.answeredWithin(TIMEOUT_MS)) return;
    const over = new AbortController();
    const answer = pool.use(({ connection }) => connection.query('SELECT 1'));
    const timeout = clock.sleep(TIMEOUT_MS, over.signal).then(() => {
      throw refusal('DATABASE_UNAVAILABLE', `the database ${place} did not answer within ${TIMEOUT_MS} ms`);
    });
    try {
      await Promise.race([answer, timeout]);
    } finally {
      over.abort();
    }
  };
}
