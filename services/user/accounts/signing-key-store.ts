import type { Queryable, Statement } from '#database';

const PUBLISH: Statement = {
  name: 'signing_key.publish',
  text: `INSERT INTO signing_key (key_id, x, create_time, expire_time) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key_id) DO UPDATE SET expire_time = excluded.expire_time`,
};
const LIST: Statement = {
  name: 'signing_key.list',
  text: `SELECT key_id AS "keyId", x, expire_time AS "expireTime" FROM signing_key WHERE expire_time > $1 ORDER BY create_time DESC LIMIT 1000`,
};

export interface PublicKeyRow {
  readonly keyId: string;
  /** The 32 bytes of the Ed25519 public key, in base64url. */
  readonly x: string;
  readonly expireTime: Date;
}

/** Lets tokens of the key be verified until `expireTime`; again for a later one. */
export async function publishKey(db: Queryable, { keyId, x, expireTime }: PublicKeyRow, now: Date): Promise<void> {
  await db.query(PUBLISH, [keyId, x, now, expireTime]);
}

/** Those of every instance, the newest first. */
export function listKeys(db: Queryable, now: Date): Promise<PublicKeyRow[]> {
  return db.query<PublicKeyRow>(LIST, [now]);
}
