const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Whom access tokens are for: claim `aud`. */
export const ACCESS_TOKEN_AUDIENCE = 'shopmesh';
/** How long an access token is good. */
export const ACCESS_TOKEN_MS = 5 * MINUTE_MS;
/** How long a session lasts without a refresh; each one begins the time anew. */
export const SESSION_MS = 30 * DAY_MS;
/** How long the same refresh may be sent again. */
export const REPLAY_MS = MINUTE_MS;
/** Of one account; with one more the session that was idle longest ends. */
export const MAX_SESSIONS = 50;
/** How long a verification waits for its mail to be sent and its code to come: mails are tried for a day. */
export const VERIFICATION_MS = 2 * DAY_MS;
/** How long a code is good, from the moment at which the mail is sent. */
export const CODE_MS = 30 * MINUTE_MS;
/** Wrong codes of one verification, after which none is right any more. */
export const MAX_FAILURES = 10;
/** Codes of one verification: a mail server that is away for a day has about 100 made. */
export const MAX_CODES = 200;

/** What sign-in knows of somebody. */
export interface Account {
  readonly userId: string;
  /** A PHC string. */
  readonly passwordHash: string;
  readonly roles: readonly string[];
  /** One more each time the access tokens are voided. */
  readonly generation: bigint;
  readonly createTime: Date;
}

/** An account as it is shown. */
export interface AccountOfPerson {
  readonly userId: string;
  readonly email: string;
  readonly displayName: string;
  readonly roles: readonly string[];
  readonly createTime: Date;
}

export interface Session {
  readonly sessionId: string;
  readonly userId: string;
  readonly createTime: Date;
  readonly refreshTime: Date;
  readonly expireTime: Date;
  readonly refreshes: bigint;
}

export type VerificationPurpose = 'REGISTRATION' | 'ALREADY_REGISTERED' | 'PASSWORD_RESET' | 'NOBODY';

/** A code that was asked for. */
export interface Verification {
  readonly verificationId: string;
  readonly purpose: VerificationPurpose;
  /** The user's; of a registration the one it will have. */
  readonly userId: string;
  readonly email: string;
  readonly emailKey: string;
  readonly displayName: string;
  /** Of the account to be; null in others. */
  readonly passwordHash: string | null;
}
