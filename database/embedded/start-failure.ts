import { errorCode, MeshError, refusal } from '#kit';

import type { DataFolder } from './data-folder.ts';

/** What Postgres says when files that it cannot do without are not as it left them. */
const DAMAGED = /pg_control|control file|files are incompatible|checkpoint record|required WAL directory/;

/** Why Postgres ended instead of starting, from what it said. */
export function serverFailure(folder: DataFolder, said: string): MeshError {
  if (said.includes('lock file "postmaster.pid" already exists')) {
    return refusal('ALREADY_RUNNING', `another Postgres runs on ${folder.path}; stop it first, or use another data folder`);
  }
  if (saysDiskFull(said)) return diskFull(folder.path);
  const lines = said.trim().split('\n');
  const telling = lines.findLast((line) => /FATAL|PANIC|error while loading/.test(line)) ?? lines.at(-1) ?? '';
  const cause = telling.replace(/^.*?(FATAL|PANIC): +/, '');
  if (DAMAGED.test(cause)) {
    const way = `restore ${folder.path} from a copy, or move it away to begin anew; nothing in it was changed`;
    return refusal('START_FAILED', `the data in ${folder.cluster} are damaged (${cause}): ${way}`);
  }
  return refusal('START_FAILED', `Postgres did not start (${folder.log} has the rest): ${cause}`);
}

/** Why the cluster could not be made, from what initdb said. */
export function initFailure(folder: DataFolder, said: string): MeshError {
  if (saysDiskFull(said)) return diskFull(folder.path);
  return refusal('START_FAILED', `initdb could not make a database in ${folder.path}: ${said.trim().split('\n').at(-1)}`);
}

/** Anything else that stood in the way. */
export function startFailure(dataDir: string, thrown: unknown): MeshError {
  if (thrown instanceof MeshError) return thrown;
  if (errorCode(thrown) === 'ENOSPC') return diskFull(dataDir, thrown);
  const cause = thrown instanceof Error ? thrown.message : String(thrown);
  return refusal('START_FAILED', `the embedded Postgres could not be started: ${cause}`, { cause: thrown });
}

function saysDiskFull(said: string): boolean {
  return said.includes('No space left on device');
}

function diskFull(folder: string, cause?: unknown): MeshError {
  const sentence = `the disk of ${folder} is full, and Postgres needs some space to start; free some there and start again: what was committed is safe`;
  return refusal('START_FAILED', sentence, { cause });
}
