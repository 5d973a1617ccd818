import { errorCode, MeshError, refusal } from '#kit';

/** What stands behind a failure of `it`, a database, with what a caller or operator can do about it. */
const TROUBLES = {
  unreachable: (it) => `${it} does not answer; check that Postgres runs and that DATABASE_URL leads to it, then try again`,
  refused: (it) => `${it} refuses the user or password in DATABASE_URL; correct them`,
  missing: (it) => `${it} does not exist, though its server answers; correct the name in DATABASE_URL, or create it with \`mesh migrate\``,
  crowded: (it) => `the server of ${it} takes no more connections; raise its max_connections or run fewer instances`,
  exhausted: (it) => `every connection to ${it} is busy; try again, and raise the pool size if it happens often`,
  full: (it) => `the disk of ${it} is full; free some space there, then try again`,
  slow: (it) => `${it} took too long over a statement and cancelled it; try again later`,
  readOnly: (it) => `${it} is a read-only copy; point DATABASE_URL at the primary`,
  conflict: (it) => `other requests changed the same rows of ${it} again and again; try again`,
  closed: (it) => `this process is shutting down and has closed its connections to ${it}; try again`,
} as const satisfies Record<string, (it: string) => string>;

type Trouble = keyof typeof TROUBLES;

/** SQLSTATEs (https://www.postgresql.org/docs/18/errcodes-appendix.html); a two-letter key means the whole class. */
const TROUBLE_BY_STATE: Readonly<Record<string, Trouble>> = {
  '08': 'unreachable',
  '25006': 'readOnly',
  '25P03': 'slow',
  '28': 'refused',
  '3D000': 'missing',
  '40001': 'conflict',
  '40P01': 'conflict',
  '53100': 'full',
  '53300': 'crowded',
  '55P03': 'conflict',
  '57014': 'slow',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
  '57P04': 'missing',
  '57P05': 'unreachable',
};

/** Errors of the socket. ENOENT and EACCES: a Unix socket that is not there or not ours to open. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EACCES', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH',
  'EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'ECONNABORTED',
]);

/** What `pg` says when `query_timeout` is over. */
const QUERY_TIMEOUT = 'Query read timeout';

/** What `pg` says instead of sending a statement over a lost connection. */
const NOT_QUERYABLE = 'Client has encountered a connection error';

/** Errors that `pg` and `pg-pool` 8 throw without a code, by how their messages begin. */
const TROUBLE_BY_MESSAGE: readonly (readonly [string, Trouble])[] = [
  ['timeout exceeded when trying to connect', 'exhausted'],
  ['Cannot use a pool after calling end', 'closed'],
  ['Connection terminated', 'unreachable'],
  [NOT_QUERYABLE, 'unreachable'],
  ['Client was closed', 'unreachable'],
  ['timeout expired', 'unreachable'],
  [QUERY_TIMEOUT, 'unreachable'],
  ['SASL', 'refused'],
];

/**
 * Any error of the driver as a MeshError: DATABASE_UNAVAILABLE, DATABASE_DAMAGED, or INTERNAL with its cause.
 *
 * @param place which database, as `placeOf` writes it
 */
export function databaseError(thrown: unknown, place?: string): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const it = inWords(place);
  if (isDamaged(thrown)) {
    const sentence = `files of ${it} are damaged; stop what writes to it, and restore it from a backup`;
    return refusal('DATABASE_DAMAGED', sentence, { cause: thrown });
  }
  const trouble = troubleOf(thrown);
  if (trouble === undefined) return MeshError.from(thrown);
  return refusal('DATABASE_UNAVAILABLE', TROUBLES[trouble](it), { cause: thrown, metadata: { trouble } });
}

function inWords(place: string | undefined): string {
  return place === undefined ? 'the database' : `the database ${place}`;
}

/** Class XX is Postgres's own faults: XX001 a page, XX002 an index that cannot be what was written. */
function isDamaged(thrown: unknown): boolean {
  const state = sqlState(thrown);
  return state === 'XX001' || state === 'XX002';
}

function troubleOf(thrown: unknown): Trouble | undefined {
  const state = serverError(thrown)?.code;
  if (state !== undefined) return TROUBLE_BY_STATE[state] ?? TROUBLE_BY_STATE[state.slice(0, 2)];
  const code = errorCode(thrown);
  if (code !== undefined && SOCKET_CODES.has(code)) return 'unreachable';
  if (!(thrown instanceof Error)) return undefined;
  return TROUBLE_BY_MESSAGE.find(([beginning]) => thrown.message.startsWith(beginning))?.[1];
}

/** Nobody answers at the other end, as opposed to an answer that says no. */
export function isUnreachable(error: MeshError): boolean {
  return error.reason === 'DATABASE_UNAVAILABLE' && error.metadata['trouble'] === 'unreachable';
}

/** A row like it is there already, by the constraint or unique index of that name. Its transaction is aborted by then. */
export function isUniqueViolation(thrown: unknown, constraint: string): boolean {
  const error = serverError(thrown);
  return error?.code === '23505' && error.constraint === constraint;
}

/** The SQLSTATE of a failed statement, if the server gave one. */
export function sqlState(thrown: unknown): string | undefined {
  return serverError(thrown)?.code;
}

/** The role may not do that: it lacks a privilege. */
export function isForbidden(thrown: unknown): boolean {
  return sqlState(thrown) === '42501';
}

/** Postgres broke it off in favour of another transaction; run again, it can succeed. */
export function isBrokenOff(thrown: unknown): boolean {
  const state = sqlState(thrown);
  return state === '40001' || state === '40P01';
}

/** The connection has prepared this statement before a migration; only a new connection prepares it anew. */
export function isStalePlan(thrown: unknown): boolean {
  const error = serverError(thrown);
  return error?.code === '0A000' && error.routine === 'RevalidateCachedQuery';
}

/** The driver gave up waiting. An answer may still come, for whoever has the connection then: it must be closed. */
export function isHanging(thrown: unknown): boolean {
  const error = thrown instanceof MeshError ? thrown.cause : thrown;
  return error instanceof Error && error.message === QUERY_TIMEOUT;
}

/** The connection was lost during COMMIT: the change is there or is not. Ask again, by the same idempotency key. */
export function isCommitUnknown(thrown: unknown): boolean {
  return thrown instanceof MeshError && thrown.metadata['commit'] === 'unknown';
}

/** What a failed COMMIT means. */
export function commitError(thrown: unknown, place?: string): MeshError {
  if (isNotCommitted(thrown)) return databaseError(thrown, place);
  const sentence =
    `the connection to ${inWords(place)} was lost during COMMIT, so the change may have been made or not; ` +
    'send the same request again under the same idempotency key';
  const metadata = { trouble: 'unreachable', commit: 'unknown' };
  return refusal('DATABASE_UNAVAILABLE', sentence, { cause: thrown, metadata });
}

function isNotCommitted(thrown: unknown): boolean {
  // The driver knew the connection was lost and did not even send it.
  if (thrown instanceof Error && thrown.message.startsWith(NOT_QUERYABLE)) return true;
  const state = sqlState(thrown);
  // In these classes the server itself was in trouble: the commit record may be on disk already.
  return state !== undefined && !/^(08|53|57|58|XX)/.test(state);
}

interface ServerError {
  readonly code: string;
  readonly constraint: string | undefined;
  readonly routine: string | undefined;
}

/** The error that Postgres itself sent, if one is among the causes. Its `severity` tells it from a Node system error. */
function serverError(thrown: unknown): ServerError | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (!('severity' in error)) continue;
    const code = errorCode(error);
    if (code !== undefined) return { code, constraint: field(error, 'constraint'), routine: field(error, 'routine') };
  }
  return undefined;
}

function field(error: object, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
