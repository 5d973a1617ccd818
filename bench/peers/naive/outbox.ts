import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { inTransaction, type Pool, type Tx } from './database.ts';
import type { Call } from './rpc.ts';

const POLL_MS = 50;
const BATCH = 100;

interface Row {
  readonly id: string;
  readonly event_id: string;
  readonly type: string;
  readonly subject: string;
  readonly payload: object;
}

export async function appendEvent(tx: Tx, type: string, subject: string, payload: object): Promise<void> {
  await tx.query('INSERT INTO outbox (event_id, type, subject, payload) VALUES ($1, $2, $3, $4)', [randomUUID(), type, subject, payload]);
}

/** Hands the events of this service over, in order, for ever: at least once, the receiver dedupes. */
export async function relayEvents(pool: Pool, notify: Call): Promise<never> {
  for (;;) {
    const published = await inTransaction(pool, (tx) => publishBatch(tx, notify)).catch(() => 0);
    if (published < BATCH) await delay(POLL_MS);
  }
}

async function publishBatch(tx: Tx, notify: Call): Promise<number> {
  const { rows } = await tx.query<Row>(
    'SELECT id, event_id, type, subject, payload FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED',
    [BATCH],
  );
  for (const { id, payload, ...event } of rows) {
    await notify('Deliver', { ...event, payload: JSON.stringify(payload) });
    await tx.query('UPDATE outbox SET published_at = now() WHERE id = $1', [id]);
  }
  return rows.length;
}
