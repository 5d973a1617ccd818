import type { Queryable, Statement } from '#database';
import type { PageRequest } from '#kit';

import type { Notification } from './domain.ts';

/** The columns are named as the fields are, so a row is a notification. */
const COLUMNS = `notification_id AS "notificationId", user_id AS "userId", order_id AS "orderId", kind, subject, body,
  state, reason, create_time AS "createTime", sent_time AS "sentTime", sequence`;

const LIST: Statement = {
  name: 'notification.list',
  text: `SELECT ${COLUMNS} FROM notification WHERE user_id = $1 AND ($2::text IS NULL OR notification_id < $2)
         ORDER BY notification_id DESC LIMIT $3`,
};
const CHANGED: Statement = {
  name: 'notification.changed',
  text: `SELECT ${COLUMNS} FROM notification WHERE user_id = $1 AND sequence > $2 ORDER BY sequence LIMIT 100`,
};
const LAST_SEQUENCES: Statement = {
  name: 'notification.last_sequences',
  text: `SELECT user_id AS "userId", last_sequence AS "lastSequence" FROM recipient WHERE user_id = ANY ($1)`,
};

/** A user's notifications, newest first (ids are UUIDv7); one more than the page holds. */
export function listNotifications(db: Queryable, userId: string, page: PageRequest): Promise<Notification[]> {
  return db.query<Notification>(LIST, [userId, page.after ?? null, page.size + 1]);
}

/** Those that have changed after `sequence`, in the order of their last changes; at most 100. */
export function changedAfter(db: Queryable, userId: string, sequence: bigint): Promise<Notification[]> {
  return db.query<Notification>(CHANGED, [userId, sequence]);
}

/** The number of the last change among each user's notifications; users who have none are left out. */
export async function lastSequences(db: Queryable, userIds: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const rows = await db.query<{ userId: string; lastSequence: bigint }>(LAST_SEQUENCES, [userIds]);
  return new Map(rows.map(({ userId, lastSequence }) => [userId, lastSequence]));
}
