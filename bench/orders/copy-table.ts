import type pg from 'pg';

/** A UUID, of which all but the last 8 digits are kept. */
const UUID = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})[0-9a-f]{8}';

/** A tracking number of the carrier's, of which the last group and the check digits are not kept. */
const TRACKING = '(SIM(-[0-9A-Z]{4}){2}-)[0-9A-Z]{4}-[0-9]{2}';

/** Stands in a pattern for the digits of a copy; no text in the tables has it. */
const GAP = 'chr(1)';

/** One statement takes so many rows or a bit more: 1 to 3 s. */
const ROWS_AT_ONCE = 100_000;

interface Column {
  /** Quoted where it must be. */
  readonly name: string;
  readonly type: string;
  /** Whether any row has a UUID or a tracking number in it. */
  readonly differs: boolean;
}

/**
 * Writes copies 1 to `copies` of each row that has UUIDs in it. False for a table whose rows have none: it does not grow with the
 * orders. Where the digits of a copy go is looked for once, not for each copy; columns without any are copied as they are.
 */
export async function copyTable(client: pg.Client, table: string, copies: number, onCopied: (copied: number) => void): Promise<boolean> {
  const columns = await columnsOf(client, table);
  const differing = columns.filter(({ differs }) => differs).map(({ name }) => name);
  if (differing.length === 0) return false;
  await client.query('DROP TABLE IF EXISTS pg_temp.pattern');
  const patterns = columns.map(({ name, differs }) => (differs ? `${withGaps(name)} AS ${name}` : name));
  await client.query(`CREATE TEMP TABLE pattern AS SELECT ${patterns.join(', ')} FROM ${table} WHERE ${differing.map(matches).join(' OR ')}`);
  const { rows } = await client.query<{ rows: number }>('SELECT count(*)::int AS rows FROM pg_temp.pattern');
  const copiesAtOnce = Math.ceil(ROWS_AT_ONCE / (rows[0]?.rows ?? 1));
  const values = columns.map(({ name, type, differs }) => (differs ? `replace(${name}, ${GAP}, digits)::${type}` : name));
  const insert = `INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')})
    SELECT ${values.join(', ')} FROM (SELECT lpad(to_hex(n), 8, '0') AS digits FROM generate_series($1::integer, $2::integer) AS n) AS copy CROSS JOIN pattern`;
  for (let from = 1; from <= copies; from += copiesAtOnce) {
    const to = Math.min(copies, from + copiesAtOnce - 1);
    await client.query(insert, [from, to]);
    onCopied(to);
  }
  return true;
}

/** Without those that Postgres writes itself. */
async function columnsOf(client: pg.Client, table: string): Promise<Column[]> {
  const { rows } = await client.query<Omit<Column, 'differs'>>(
    `SELECT format('%I', attname) AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = '' ORDER BY attnum`,
    [table],
  );
  const { rows: found } = await client.query<boolean[]>({
    text: `SELECT ${rows.map(({ name }) => `coalesce(bool_or(${matches(name)}), false)`).join(', ')} FROM ${table}`,
    rowMode: 'array',
  });
  return rows.map((column, index) => ({ ...column, differs: found[0]?.[index] ?? false }));
}

function matches(column: string): string {
  return `${column}::text ~ '${UUID}|${TRACKING}'`;
}

function withGaps(column: string): string {
  return `regexp_replace(regexp_replace(${column}::text, '${UUID}', '\\1' || ${GAP}, 'g'), '${TRACKING}', '\\1' || ${GAP}, 'g')`;
}
