import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';

import type { Stoppable } from '#kit';

import type { Binaries } from './binaries.ts';
import type { DataFolder } from './data-folder.ts';
import { asUser } from './run-user.ts';
import { serverEnvironment } from './server-environment.ts';
import { initFailure } from './start-failure.ts';

/** The role that owns everything. */
export const SUPERUSER = 'shopmesh';

/**
 * Makes a new cluster with a password of its own. About 0.6 s, because nothing is
 * forced to disk yet: see {@link syncCluster}.
 */
export async function initializeCluster(folder: DataFolder, { initdb }: Binaries): Promise<void> {
  const { user, unfinished, password } = folder;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await rm(password, { force: true });
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  if (user.isOther) {
    await chown(unfinished, user.uid, user.gid);
    await chown(password, user.uid, user.gid);
  }
  // In a file, since everybody can read a process's arguments.
  const access = [`--username=${SUPERUSER}`, '--auth=scram-sha-256', `--pwfile=${password}`];
  // The builtin provider sorts the same on every machine, whatever its C library.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const child = spawnInitdb(folder, initdb, ['-D', unfinished, ...access, ...locale, '--no-sync', '--no-instructions']);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    await rm(unfinished, { recursive: true, force: true });
    throw initFailure(folder, said);
  }
  await rename(unfinished, folder.cluster);
}

/**
 * Forces a new cluster's files to disk while Postgres works already. Until that is done
 * (0.1 s on an idle disk) a power cut could spoil the new database; a killed process cannot.
 */
export function syncCluster(folder: DataFolder, { initdb }: Binaries): Stoppable {
  const child = spawnInitdb(folder, initdb, ['-D', folder.cluster, '--sync-only']);
  const ended = once(child, 'close').catch(() => undefined);
  return {
    async stop() {
      await ended;
    },
  };
}

function spawnInitdb({ user }: DataFolder, initdb: string, args: readonly string[]): ChildProcess {
  return spawn(initdb, args, {
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    ...asUser(user),
  });
}
