import { refusal } from '#kit';

/** What a `DATABASE_URL` says, without its secret. */
export interface DatabaseAddress {
  readonly database: string;
  /** A host name or address, or the folder of a Unix socket. */
  readonly server: string;
  readonly port: number;
}

const SHAPE = 'write it as postgres://user:password@host:5432/database, with special characters percent-encoded';
const DEFAULT_PORT = 5432;

/** Throws INVALID_SETTING, without the URL: it holds the password. */
export function readDatabaseUrl(url: string): DatabaseAddress {
  const parsed = parse(url);
  // As the driver decodes it: a name with a slash or a question mark has no URL.
  const database = decodeURI(parsed.pathname.slice(1));
  if (database === '') throw refusal('INVALID_SETTING', `DATABASE_URL names no database; ${SHAPE}`);
  return {
    database,
    server: decodeURIComponent(parsed.searchParams.get('host') ?? parsed.hostname),
    port: Number(parsed.searchParams.get('port') ?? parsed.port) || DEFAULT_PORT,
  };
}

/** Where a database is, such as `db.example:5432/shop`, for people: without user and password. */
export function placeOf(url: string): string {
  const { server, port, database } = readDatabaseUrl(url);
  return `${server}:${port}/${database}`;
}

/** The user that a `DATABASE_URL` names, and their password if it has one. */
export interface DatabaseUser {
  readonly name: string;
  readonly password: string | undefined;
}

/** Throws INVALID_SETTING, without the URL, where it names none: then the user would depend on who starts the process. */
export function readDatabaseUser(url: string): DatabaseUser {
  const { username, password } = parse(url);
  if (username === '') throw refusal('INVALID_SETTING', `DATABASE_URL names no user; ${SHAPE}`);
  return { name: decodeURIComponent(username), password: password === '' ? undefined : decodeURIComponent(password) };
}

/** The same database as another user. */
export function withUser(url: string, { name, password = '' }: DatabaseUser): string {
  const parsed = parse(url);
  parsed.username = encodeURIComponent(name);
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}

/** The same server and user, another database. */
export function withDatabase(url: string, database: string): string {
  const parsed = parse(url);
  parsed.pathname = `/${encodeURIComponent(database)}`;
  return parsed.href;
}

function parse(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed === null || !['postgres:', 'postgresql:'].includes(parsed.protocol)) {
    throw refusal('INVALID_SETTING', `DATABASE_URL is not the URL of a Postgres database; ${SHAPE}`);
  }
  return parsed;
}
