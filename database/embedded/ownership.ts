import { readFile, rm, writeFile } from 'node:fs/promises';

import { errorCode, refusal } from '#kit';

import { startOf } from './process-start.ts';

interface Owner {
  readonly pid: number;
  readonly start: string;
}

/**
 * Takes the data folder for this process, by a file that names it. A file left by a
 * process that is gone counts for nothing. Throws ALREADY_RUNNING when another process
 * has the folder. Returns how to give it back.
 *
 * Two processes that start in the same instant may both get past this; Postgres's own
 * lock then stops one of them.
 */
export async function takeOwnership(file: string, dataDir: string): Promise<() => Promise<void>> {
  const other = await readOwner(file);
  if (other && (await startOf(other.pid)) === other.start) {
    const what = `process ${other.pid} runs a Postgres on ${dataDir}`;
    throw refusal('ALREADY_RUNNING', `${what}; stop it first, or use another data folder`);
  }
  const own: Owner = { pid: process.pid, start: (await startOf(process.pid)) ?? '' };
  const text = JSON.stringify(own);
  await rm(file, { force: true });
  await writeFile(file, text, { mode: 0o644 });
  return async () => {
    if ((await readFile(file, 'utf8').catch(() => undefined)) === text) await rm(file, { force: true });
  };
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isOwner(parsed) ? parsed : undefined;
  } catch (thrown) {
    // Cut short by a crash: its writer is gone.
    if (errorCode(thrown) === 'ENOENT' || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('start' in value)) return false;
  return typeof value.pid === 'number' && typeof value.start === 'string';
}
