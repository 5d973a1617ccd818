import type { Queryable, Statement } from '#database';

/** Mails that wait for another try, since one has failed. */
export interface FailingMails {
  readonly count: number;
  /** Why the last try of the one failed that began to fail last; without addresses. */
  readonly reason: string;
  /** Failed tries of that one. */
  readonly attempt: number;
  /** How long ago the first try of any of them failed. */
  readonly oldestMs: number;
}

// By the index of what is due: what was sent is not read.
const FAILING: Statement = {
  name: 'notification.failing',
  text: `SELECT count(*) OVER ()::integer AS count, reason, attempt,
           coalesce(extract(epoch FROM now() - min(first_failure_time) OVER ()) * 1000, 0)::float8 AS "oldestMs"
         FROM notification WHERE state IN ('PENDING', 'SENDING') AND attempt >= $1
         ORDER BY first_failure_time DESC NULLS LAST, notification_id DESC LIMIT 1`,
};

/** Undefined when there is none that has failed at least `minAttempts` times. */
export async function findFailingMails(db: Queryable, minAttempts: number): Promise<FailingMails | undefined> {
  const [found] = await db.query<FailingMails>(FAILING, [minAttempts]);
  return found;
}
