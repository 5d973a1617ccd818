import { type Clock, type Random, refusal } from '#kit';

import { commitError, isHanging } from './database-errors.ts';
import type { DatabaseHooks } from './hooks.ts';
import type { Connection, ConnectionPool, Lent } from './pool.ts';
import { repeatBrokenOff } from './repeat.ts';
import { runStatement } from './run-statement.ts';
import type { Transaction } from './statement.ts';
import type { StatementSpans } from './statement-spans.ts';

export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
}

export interface TransactionRunner {
  readonly pool: ConnectionPool;
  readonly spans: StatementSpans;
  readonly hooks: DatabaseHooks;
  readonly clock: Clock;
  readonly random: Random;
}

/** See `Database.transaction`. */
export async function runTransaction<T>(
  runner: TransactionRunner,
  name: string,
  run: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const { pool, clock, random } = runner;
  const once = (): Promise<T> => pool.use((lent) => runOnce(runner, lent, name, run, options));
  return repeatBrokenOff(once, clock, random);
}

async function runOnce<T>(
  { spans, hooks }: TransactionRunner,
  lent: Lent,
  name: string,
  run: (tx: Transaction) => Promise<T>,
  { isolation = 'read committed' }: TransactionOptions,
): Promise<T> {
  const { connection } = lent;
  // Said each time: a server's default_transaction_isolation may be another.
  await connection.query(`BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`);
  const { tx, close } = openTransaction(lent, spans, name);
  let result: T;
  try {
    result = await run(tx);
    await hooks.beforeCommit?.(name);
  } catch (thrown) {
    close();
    // A connection that hangs would hang once more.
    if (!isHanging(thrown)) await rollback(connection);
    throw thrown;
  }
  close();
  await spans({ name: `${name}.commit`, text: 'COMMIT' }, () => commit(lent, name));
  await hooks.afterCommit?.(name);
  return result;
}

function openTransaction(
  lent: Lent,
  spans: StatementSpans,
  name: string,
): { tx: Transaction; close(): void } {
  let isOpen = true;
  const tx: Transaction = {
    async query(statement, values) {
      // Its connection may belong to another transaction by now.
      if (!isOpen) throw refusal('INTERNAL', `statement ${statement.name} came after the end of transaction ${name}`);
      return spans(statement, () => runStatement(lent, statement, values));
    },
  };
  return { tx, close: () => void (isOpen = false) };
}

async function rollback(connection: Connection): Promise<void> {
  try {
    await connection.query('ROLLBACK');
  } catch {
    // The connection is lost and the transaction with it; the pool closes a connection in this state.
  }
}

async function commit({ connection, place }: Lent, name: string): Promise<void> {
  let command: string;
  try {
    ({ command } = await connection.query('COMMIT'));
  } catch (thrown) {
    throw commitError(thrown, place);
  }
  if (command === 'COMMIT') return;
  // Postgres answers COMMIT of a failed transaction with ROLLBACK and no error.
  const hint = `transaction ${name} was rolled back: one of its statements failed and its body kept that to itself`;
  throw refusal('INTERNAL', hint);
}
