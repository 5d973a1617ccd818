import { open, readFile, stat, truncate } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { Binaries } from './binaries.ts';
import type { DataFolder } from './data-folder.ts';
import { type Guardian, startGuardian } from './guardian.ts';
import { readPostmaster } from './postmaster.ts';
import { serverArguments } from './server-settings.ts';
import { makeSocketFolder, SOCKET_PORT } from './socket-folder.ts';
import { serverFailure } from './start-failure.ts';

const MAX_LOG_BYTES = 5_000_000;
const ASK_EVERY_MS = 5;
/** Recovery after a crash replays up to 256 MB of log. */
const START_TIMEOUT_MS = 60_000;
const SLOW_AFTER_MS = 2_000;
/** How long the backends of a killed Postgres may take to notice. */
const CRASH_GRACE_MS = 10_000;

/** Starts Postgres and returns when it takes connections. */
export async function startServer(
  folder: DataFolder,
  binaries: Binaries,
  socketFolder: string,
  onProgress: (step: string) => void,
): Promise<Guardian> {
  const giveUpAt = performance.now() + CRASH_GRACE_MS;
  for (;;) {
    const logStart = await trimLog(folder.log);
    const guardian = await spawnServer(folder, binaries, socketFolder);
    if (await untilReady(guardian, folder.cluster, onProgress)) return guardian;
    const said = await readLog(folder.log, logStart);
    const crashed = said.includes('pre-existing shared memory block');
    if (!crashed || performance.now() > giveUpAt) throw serverFailure(folder, said);
    await delay(100);
    // The guardian of this try has removed it at its end.
    await makeSocketFolder(folder.cluster, folder.user);
  }
}

async function spawnServer(folder: DataFolder, { postgres }: Binaries, socketFolder: string): Promise<Guardian> {
  const log = await open(folder.log, 'a', 0o600);
  try {
    const args = serverArguments(folder.cluster, socketFolder, SOCKET_PORT);
    return await startGuardian({ program: postgres, args, user: folder.user, socketFolder, logFile: log.fd });
  } finally {
    await log.close();
  }
}

/** False when Postgres ended instead. */
async function untilReady(guardian: Guardian, cluster: string, onProgress: (step: string) => void): Promise<boolean> {
  let hasEnded = false;
  void guardian.ended.then(() => (hasEnded = true));
  const startedAt = performance.now();
  let isSlow = false;
  while (!hasEnded) {
    const postmaster = await readPostmaster(cluster);
    if (postmaster?.pid === guardian.pid && postmaster.status === 'ready') return true;
    const waitedMs = performance.now() - startedAt;
    if (!isSlow && waitedMs > SLOW_AFTER_MS) {
      isSlow = true;
      onProgress('Postgres is recovering from a crash');
    }
    if (waitedMs > START_TIMEOUT_MS) guardian.release();
    await delay(ASK_EVERY_MS);
  }
  return false;
}

async function trimLog(file: string): Promise<number> {
  const size = await stat(file).then((found) => found.size, () => 0);
  if (size <= MAX_LOG_BYTES) return size;
  await truncate(file, 0);
  return 0;
}

async function readLog(file: string, from: number): Promise<string> {
  return (await readFile(file)).subarray(from).toString('utf8');
}
