import type { Client } from 'pg';

import { refusal } from '#kit';

import { sqlState } from './database-errors.ts';
import { scriptStatements } from './script-statements.ts';

const SHOWN_CHARACTERS = 120;

/** A script failed; the cause is what Postgres said. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/**
 * Runs a script of several statements in the transaction that is open. Throws a ScriptError that says at
 * which statement Postgres refused it, and START_FAILED, before anything is run, for one that would end the
 * transaction: what came before would stay when the rest fails.
 */
export async function runScript(client: Client, script: string): Promise<void> {
  const statements = scriptStatements(script);
  const ending = statements.find(({ text }) => /^(BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE\s+TRANSACTION)\b/i.test(text));
  if (ending) {
    throw refusal('START_FAILED', `it holds ${ending.text} in line ${ending.line}, and runs in one transaction as it is; take that out`);
  }
  let completed = 0;
  const count = (): void => void (completed += 1);
  // The driver tells of results when all are there, but not how many there were before an error.
  client.connection.on('commandComplete', count);
  try {
    await client.query(script);
  } catch (thrown) {
    const failed = statements[completed];
    if (!failed || sqlState(thrown) === undefined) throw thrown;
    const cause = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ScriptError(`${cause}, in line ${failed.line}: ${inShort(failed.text)}`, { cause: thrown });
  } finally {
    client.connection.off('commandComplete', count);
  }
}

function inShort(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS)}…`;
}
