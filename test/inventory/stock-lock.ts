import type { Database } from '#database';

import { until } from '../database/until.ts';

/** Locks a product's stock, so that whoever wants to move goods waits; returns how to let go. */
export async function lockStock(database: Database, productId: string): Promise<() => Promise<void>> {
  const [locked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = database.transaction('test.lock_stock', async (tx) => {
    await tx.query({ name: 'test.lock', text: 'SELECT FROM stock WHERE product_id = $1 FOR UPDATE' }, [productId]);
    locked.resolve();
    await gate.promise;
  });
  await locked.promise;
  return async () => {
    gate.resolve();
    await holding;
  };
}

/** Resolves when `count` statements wait for a lock. */
export function waiting(database: Database, count: number): Promise<void> {
  const text = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return until(`${count} wait for a lock`, async () => (await database.query({ name: 'test.waiting', text }, [])).length === count);
}
