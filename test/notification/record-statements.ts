import type { Database } from '#database';

/** An instance's database, and the names of the statements that are run in its transactions. */
export function recordStatements(real: Database): { readonly database: Database; readonly statements: string[] } {
  const statements: string[] = [];
  const database: Database = {
    ...real,
    transaction: (name, run) =>
      real.transaction(name, (tx) =>
        run({
          query(statement, values) {
            statements.push(statement.name);
            return tx.query(statement, values);
          },
        }),
      ),
  };
  return { database, statements };
}
