import { databaseError } from './database-errors.ts';
import type { Lent } from './pool.ts';
import type { Statement } from './statement.ts';

/** Runs a statement, prepared once for each connection under its name. */
export async function runStatement<Row extends object>(
  { connection, place }: Lent,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  try {
    const { rows } = await connection.query<Row>({ name, text, values: [...values] });
    return rows;
  } catch (thrown) {
    throw databaseError(thrown, place);
  }
}
