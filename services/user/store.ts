import type { Queryable, Statement } from '#database';
import type { PageRequest } from '#kit';

/** A person who buys. */
export interface User {
  readonly userId: string;
  readonly email: string;
  readonly displayName: string;
  readonly createTime: Date;
}

const COLUMNS = `user_id AS "userId", email, display_name AS "displayName", create_time AS "createTime"`;

const INSERT: Statement = {
  name: 'user.insert',
  text: `INSERT INTO users (user_id, email, display_name, create_time) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO NOTHING RETURNING ${COLUMNS}`,
};
// The LIMIT is how many are wanted: with it the planner goes by the primary key, also when it first saw the table empty.
const FIND: Statement = {
  name: 'user.find',
  text: `SELECT ${COLUMNS} FROM (SELECT * FROM unnest($1::text[]) AS given (wanted_id) LIMIT $2) AS wanted JOIN users ON user_id = wanted_id`,
};
const LIST: Statement = { name: 'user.list', text: `SELECT ${COLUMNS} FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2` };

/** Writes a user; undefined when the id is taken. */
export async function insertUser(db: Queryable, user: User): Promise<User | undefined> {
  const [row] = await db.query<User>(INSERT, [user.userId, user.email, user.displayName, user.createTime]);
  return row;
}

/** Those that there are, by their ids. */
export async function findUsers(db: Queryable, userIds: readonly string[]): Promise<ReadonlyMap<string, User>> {
  const rows = await db.query<User>(FIND, [userIds, userIds.length]);
  return new Map(rows.map((user) => [user.userId, user]));
}

/** One entry more than the page holds, so that the caller sees whether there is a next one. */
export function listUsers(db: Queryable, page: PageRequest): Promise<User[]> {
  return db.query<User>(LIST, [page.after ?? '', page.size + 1]);
}
