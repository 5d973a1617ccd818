import type { Database } from '#database';

import { ORDERS, upTo } from './event-bench.ts';

/** A row of `event_log.fetch`, as another language sees it. */
export interface Fetched {
  readonly bucket: number;
  readonly fence: bigint;
  readonly position: bigint;
  readonly subject: string;
}

const FETCH = { name: 'test.fetch', text: 'SELECT bucket, fence, position, subject FROM event_log.fetch($1, $2, $3, $4, $5)' };
const COMMIT = { name: 'test.commit', text: 'SELECT bucket FROM event_log.commit($1, $2, $3, $4, $5, $6)' };
const LEAVE = { name: 'test.leave', text: 'SELECT event_log.leave($1, $2)' };
const EXPIRE = { name: 'test.expire', text: 'UPDATE event_log.group_member SET alive_until = clock_timestamp() WHERE for_group = $1 AND member = $2' };
const HELD = {
  name: 'test.held',
  text: 'SELECT member, count(*)::int AS buckets FROM event_log.group_bucket WHERE for_group = $1 AND member IS NOT NULL AND NOT leaving GROUP BY member ORDER BY member',
};

/** Subjects that fall into all sixteen buckets. */
export const SUBJECTS = upTo(80).map((number) => `subject-${number}`);

/** A member of a group that calls the log's SQL functions, as one in another language does. */
export interface SqlMember {
  fetch(): Promise<Fetched[]>;
  /** How many buckets were still its own: one or none. */
  commit(event: Fetched): Promise<number>;
  leave(): Promise<void>;
  /** Lets its lease run out, as when it died a while ago. */
  expire(): Promise<void>;
}

export function sqlMember(database: Database, member: string, group = 'g', leaseMs = 2_000): SqlMember {
  return {
    fetch: () => database.query<Fetched>(FETCH, [group, member, [ORDERS], 1_000, leaseMs]),
    commit: async ({ bucket, fence, position }) => (await database.query(COMMIT, [group, member, [ORDERS], [bucket], [fence], [position]])).length,
    leave: async () => void (await database.query(LEAVE, [group, member])),
    expire: async () => void (await database.query(EXPIRE, [group, member])),
  };
}

/** How many buckets each member of a group has. */
export async function bucketsOf(database: Database, group = 'g'): Promise<Record<string, number>> {
  const rows = await database.query<{ member: string; buckets: number }>(HELD, [group]);
  return Object.fromEntries(rows.map(({ member, buckets }) => [member, buckets]));
}
