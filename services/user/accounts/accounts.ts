import type { Database } from '#database';
import type { Clock, Log, Random } from '#kit';

import type { IssueAccessToken } from './access-tokens.ts';
import type { Limits } from './limits.ts';
import type { Passwords } from './passwords.ts';

/** What accounts work with. */
export interface Accounts {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly limits: Limits;
  readonly issueAccessToken: IssueAccessToken;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly hooks: AccountHooks;
}

/** Guards that a test switches off, to see what they prevent. */
export interface AccountHooks {
  /** A refresh token that comes again ends nothing. */
  readonly withoutReuseDetection?: boolean;
}

/** Who calls: as far as anybody knows. */
export interface Caller {
  /** Of the person's device; undefined when the edge has not said it. */
  readonly address: string | undefined;
  readonly signal: AbortSignal;
}
