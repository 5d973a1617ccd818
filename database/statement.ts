/**
 * One SQL statement. Its values travel apart, as `$1`, `$2` …, so its text may be
 * shown in spans and logs. Name the columns you read: a `*` fails once for each
 * connection after a migration has added a column.
 */
export interface Statement {
  /** Unique in the process, at most 63 bytes, such as `order.find`: prepared statement and span are called that. */
  readonly name: string;
  readonly text: string;
}

export interface Queryable {
  /**
   * Runs one statement and returns its rows. `Row` is the caller's word for what the
   * statement selects: int8 arrives as `bigint` (money and counts never lose a digit),
   * timestamptz as `Date`, bytea as `Buffer`, json as its value, numeric and date as `string`.
   *
   * Throws MeshError: DATABASE_UNAVAILABLE when the server cannot be reached or cannot
   * take the statement now, else INTERNAL with the driver's error as its cause (see
   * `isUniqueViolation`).
   */
  query<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
}

/** A transaction's own connection: one statement after another, and none once it has ended. */
export interface Transaction extends Queryable {}
