import type { Database, Queryable } from '#database';
import { type Clock, refusal } from '#kit';

import { takeAll, waitOf } from './limit-store.ts';
import { sha256 } from './sha256.ts';

/** So many at once, then one each time the pause is over. */
export interface Limit {
  readonly burst: number;
  readonly everyMs: number;
}

/**
 * What may be tried how often. Sign-in: 10 tries of one account from one address in a row, then 1 in 30 s, so about 2,900 a
 * day; 100 of one account from everywhere, then 1 in 10 s, so that few can keep its owner out; 60 from one address. Codes:
 * as many mails as an impatient person asks for, and no more to one mailbox: 20, then 1 in 10 min.
 */
const LIMITS = {
  'sign-in of account from address': { burst: 10, everyMs: 30_000 },
  'sign-in of account': { burst: 100, everyMs: 10_000 },
  'sign-in from address': { burst: 60, everyMs: 1_000 },
  'password of session': { burst: 10, everyMs: 30_000 },
  'code for account': { burst: 20, everyMs: 600_000 },
  'code from address': { burst: 60, everyMs: 60_000 },
  'code tried from address': { burst: 60, everyMs: 5_000 },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;

/** One limit, and of whom: an address of mail, of a client, or both. */
export interface Limited {
  readonly name: LimitName;
  readonly of: readonly string[];
}

/** Attempts, counted in the database: the same for every instance, and still there after a restart. */
export interface Limits {
  /** Takes one of each. TOO_MANY_ATTEMPTS when one has none left; then those that had are not given back. */
  take(limited: readonly Limited[], db?: Queryable): Promise<void>;
}

/** Under which a limit's use is kept: a hash, so that the table names nobody. */
export function limitKey({ name, of }: Limited): string {
  return sha256([name, ...of].join('\0')).toString('base64url');
}

export function createLimits(database: Database, clock: Clock): Limits {
  return {
    async take(limited, db = database) {
      const asked = limited.map((one) => ({ key: limitKey(one), ...LIMITS[one.name] }));
      const now = new Date(clock.now());
      const taken = await takeAll(db, asked, now);
      const refused = asked.map(({ key }) => key).filter((key) => !taken.has(key));
      if (refused.length > 0) throw tooMany(await waitOf(db, refused, now));
    },
  };
}

function tooMany(waitMs: number): Error {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  // Not RetryInfo: to our clients that says that the instance sheds load, and they would leave it alone for so long.
  return refusal('TOO_MANY_ATTEMPTS', `too many attempts; try again in ${seconds} s`, {
    metadata: { retryInMs: String(seconds * 1_000) },
    retry: { kind: 'never' },
  });
}
