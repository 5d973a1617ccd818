import type { Queryable, Statement } from '#database';

// The generic cell rate algorithm (ITU-T I.371): one time stands for all that was taken. Rows are locked in the order of
// their keys, as all take them.
const TAKE: Statement = {
  name: 'attempt.take',
  text: `INSERT INTO attempt (key, free_time, slack)
         SELECT key, $2::timestamptz + every * interval '1 millisecond', (burst - 1) * every * interval '1 millisecond'
         FROM unnest($1::text[], $3::float8[], $4::float8[]) AS asked (key, every, burst) ORDER BY key
         ON CONFLICT (key) DO UPDATE SET free_time = greatest(attempt.free_time, $2::timestamptz) + (excluded.free_time - $2::timestamptz), slack = excluded.slack
         WHERE attempt.free_time <= $2::timestamptz + excluded.slack RETURNING key`,
};
const WAIT: Statement = {
  name: 'attempt.wait',
  text: `SELECT extract(epoch FROM max(free_time - slack - $2::timestamptz)) * 1000 AS "waitMs" FROM attempt WHERE key = ANY ($1)`,
};

export interface Asked {
  readonly key: string;
  readonly burst: number;
  readonly everyMs: number;
}

/** Takes one of each; returns the keys of those that had one left. */
export async function takeAll(db: Queryable, asked: readonly Asked[], now: Date): Promise<ReadonlySet<string>> {
  const values = [asked.map(({ key }) => key), now, asked.map(({ everyMs }) => everyMs), asked.map(({ burst }) => burst)];
  const rows = await db.query<{ key: string }>(TAKE, values);
  return new Set(rows.map(({ key }) => key));
}

/** How long until each of them has one left again. */
export async function waitOf(db: Queryable, keys: readonly string[], now: Date): Promise<number> {
  const [row] = await db.query<{ waitMs: string | null }>(WAIT, [keys, now]);
  // A numeric arrives as text.
  return Number(row?.waitMs ?? 0);
}
