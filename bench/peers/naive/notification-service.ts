import { inTransaction, type Pool } from './database.ts';
import type { Handlers } from './rpc.ts';

interface DeliverRequest {
  readonly event_id: string;
  readonly type: string;
  readonly subject: string;
  readonly payload: string;
}

export function notificationHandlers(pool: Pool): Handlers {
  return {
    Deliver: ({ event_id, type, subject, payload }: DeliverRequest) =>
      inTransaction(pool, async (tx) => {
        const { rowCount } = await tx.query('INSERT INTO inbox (event_id) VALUES ($1) ON CONFLICT DO NOTHING', [event_id]);
        if (rowCount === 1) await tx.query('INSERT INTO notice (event_id, type, subject, body) VALUES ($1, $2, $3, $4)', [event_id, type, subject, payload]);
        return {};
      }),
  };
}
