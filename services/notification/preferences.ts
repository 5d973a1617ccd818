import type { Queryable, Statement } from '#database';

import type { Category } from './domain.ts';

const FIND: Statement = { name: 'notification.find_preferences', text: 'SELECT muted FROM recipient WHERE user_id = $1' };
const SET: Statement = {
  name: 'notification.set_preferences',
  text: `INSERT INTO recipient (user_id, muted) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET muted = excluded.muted`,
};

interface Row {
  readonly muted: readonly Category[];
}

/** What a user does not get by mail; nothing, for one who has set nothing. */
export async function findMuted(db: Queryable, userId: string): Promise<readonly Category[]> {
  const [row] = await db.query<Row>(FIND, [userId]);
  return row?.muted ?? [];
}

/** Holds for what is written from now on; what waits to be sent is sent. */
export async function setMuted(db: Queryable, userId: string, muted: readonly Category[]): Promise<void> {
  await db.query(SET, [userId, muted]);
}
