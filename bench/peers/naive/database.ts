import type pg from 'pg';

import type { Postgres } from './telemetry.ts';

/** As many as a service of ours has (MESH_DATABASE_CONNECTIONS). */
const MAX_CONNECTIONS = 10;

export type Pool = pg.Pool;
export type Tx = pg.PoolClient;

export function openPool({ Pool }: Postgres, url: string): Pool {
  const pool = new Pool({ connectionString: url, max: MAX_CONNECTIONS });
  // Without these a lost connection ends the process; whoever uses one is told by its query.
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  return pool;
}

/** One statement a round trip, BEGIN and COMMIT among them. */
export async function inTransaction<T>(pool: Pool, run: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await pool.connect();
  try {
    await tx.query('BEGIN');
    const result = await run(tx);
    await tx.query('COMMIT');
    return result;
  } catch (thrown) {
    await tx.query('ROLLBACK');
    throw thrown;
  } finally {
    tx.release();
  }
}
