import { readFile, rm } from 'node:fs/promises';
import { resolve } from 'node:path';

import { createLifecycle, type Lifecycle, type Log, refusal, type Stoppable } from '#kit';

import { type Binaries, findBinaries } from './binaries.ts';
import { type DataFolder, prepareDataFolder } from './data-folder.ts';
import type { Guardian } from './guardian.ts';
import { initializeCluster, SUPERUSER, syncCluster } from './initialize.ts';
import { takeOwnership } from './ownership.ts';
import { stopLeftover } from './postmaster.ts';
import { makeSocketFolder, SOCKET_PORT } from './socket-folder.ts';
import { startFailure } from './start-failure.ts';
import { startServer } from './start-server.ts';

export interface EmbeddedPostgresOptions {
  /** Made when missing, kept by `stop()`. */
  readonly dataDir: string;
  readonly log: Log;
  /** Told what takes time, in words for people. */
  readonly onProgress?: (step: string) => void;
}

/** A real Postgres 18 for one machine, reached by a Unix socket only. */
export interface EmbeddedPostgres extends Stoppable {
  /** The URL of a database on it, with the password. The database need not exist yet: see `ensureDatabase`. */
  url(database: string): string;
  readonly pid: number;
  /** Where the data are: as root it may be another folder than asked for, see `prepareDataFolder`. */
  readonly dataDir: string;
  /** Resolves when Postgres has ended, by `stop()` or by itself, and may be started again. */
  readonly ended: Promise<void>;
}

/**
 * Starts Postgres on `dataDir` (0.7 s the first time, 0.05 s later) and returns when it
 * takes connections. It ends with `stop()` or with this process, however that ends.
 *
 * Throws START_FAILED, INVALID_SETTING (the folder holds something else) or
 * ALREADY_RUNNING, each with a sentence that says what to do; data that are there are
 * never deleted.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, onProgress = () => undefined } = options;
  if (process.platform === 'win32') {
    throw refusal('START_FAILED', 'the embedded Postgres needs Linux or macOS; set DATABASE_URL to a Postgres of your own');
  }
  const lifecycle = createLifecycle(log);
  try {
    const folder = await prepareDataFolder(resolve(dataDir));
    if (folder.isElsewhere) {
      onProgress(`keeping the database in ${folder.path}, because only root may enter ${dataDir}`);
    }
    lifecycle.onStop('ownership of the data folder', await takeOwnership(folder.owner, folder.path));
    const binaries = await findBinaries(folder.user, onProgress);
    return await startOn(folder, binaries, lifecycle, onProgress);
  } catch (thrown) {
    await lifecycle.stop();
    throw startFailure(dataDir, thrown);
  }
}

async function startOn(
  folder: DataFolder,
  binaries: Binaries,
  lifecycle: Lifecycle,
  onProgress: (step: string) => void,
): Promise<EmbeddedPostgres> {
  if (await stopLeftover(folder.cluster)) onProgress('stopped a Postgres that an earlier run had left');
  if (!folder.hasCluster) {
    onProgress('making a new database');
    await initializeCluster(folder, binaries);
  }
  const password = await readPassword(folder);
  const socketFolder = await makeSocketFolder(folder.cluster, folder.user);
  lifecycle.onStop('folder of the socket', () => rm(socketFolder, { recursive: true, force: true }));
  const guardian = await startServer(folder, binaries, socketFolder, onProgress);
  const gone = untilGone(guardian, folder.cluster);
  lifecycle.onStop('Postgres', async () => {
    guardian.release();
    await gone;
  });
  if (!folder.hasCluster) lifecycle.onStop('sync', syncCluster(folder, binaries).stop);
  const authority = `${SUPERUSER}:${password}@${encodeURIComponent(socketFolder)}:${SOCKET_PORT}`;
  return {
    url: (database) => `postgres://${authority}/${encodeURIComponent(database)}`,
    pid: guardian.pid,
    dataDir: folder.path,
    ended: gone.then(() => lifecycle.stop()),
    stop: () => lifecycle.stop(),
  };
}

async function untilGone(guardian: Guardian, cluster: string): Promise<void> {
  await guardian.ended;
  // Only if the guardian was killed is there still a Postgres.
  await stopLeftover(cluster);
}

async function readPassword({ password, path }: DataFolder): Promise<string> {
  try {
    return (await readFile(password, 'utf8')).trim();
  } catch (cause) {
    const what = `${password} is missing or closed to you, and without it nobody gets into the database`;
    throw refusal('START_FAILED', `${what}; restore it, or move ${path} away`, { cause });
  }
}
