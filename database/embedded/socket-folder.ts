import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { errorCode, refusal } from '#kit';

import { canEnter, type RunUser } from './run-user.ts';

/** Names the socket's file, `.s.PGSQL.5432`; nothing listens on TCP. */
export const SOCKET_PORT = 5432;

/** `sun_path` is 108 bytes on Linux, 104 elsewhere, with a zero at the end (unix(7)). */
const MAX_PATH_BYTES = 103;

/**
 * Makes the folder for the server's socket, which only the user Postgres runs as (and
 * root) may enter. It is short, as a socket's path must be, and always the same for
 * the same data: services that reconnect after a restart find it again.
 */
export async function makeSocketFolder(cluster: string, user: RunUser): Promise<string> {
  const hash = createHash('sha256').update(`${user.uid}:${cluster}`).digest('hex').slice(0, 16);
  const folder = join(await baseFolder(user), `shopmesh-${hash}`);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (thrown) {
    if (errorCode(thrown) !== 'EEXIST') throw thrown;
    await reuse(folder, user);
  }
  await chmod(folder, 0o700);
  if (user.isOther) await chown(folder, user.uid, user.gid);
  return folder;
}

async function baseFolder(user: RunUser): Promise<string> {
  const name = `shopmesh-0123456789abcdef/.s.PGSQL.${SOCKET_PORT}.lock`;
  const fits = Buffer.byteLength(join(tmpdir(), name)) <= MAX_PATH_BYTES;
  return fits && (await canEnter(tmpdir(), user)) ? tmpdir() : '/tmp';
}

/** Left by a killed process of ours; but in a folder open to all it may also be somebody's trap. */
async function reuse(folder: string, user: RunUser): Promise<void> {
  const found = await lstat(folder);
  const isOurs = found.isDirectory() && [user.uid, process.getuid?.()].includes(found.uid);
  if (!isOurs) {
    const way = 'remove it, or set TMPDIR to a folder of your own';
    throw refusal('START_FAILED', `${folder} belongs to somebody else; ${way}`);
  }
  for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
}
