import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { errorCode, refusal } from '#kit';

import { canEnter, chooseRunUser, type RunUser } from './run-user.ts';

/** What lies in the data folder. */
export interface DataFolder {
  readonly path: string;
  /** True when it is not the folder that was asked for. */
  readonly isElsewhere: boolean;
  /** Postgres's own files, private to the user it runs as. */
  readonly cluster: string;
  /** Here initdb works; a finished one is renamed to `cluster`, so there is never half a cluster. */
  readonly unfinished: string;
  readonly password: string;
  readonly log: string;
  readonly owner: string;
  readonly hasCluster: boolean;
  readonly user: RunUser;
}

const MAJOR_VERSION = '18';

/** For root's data when the folder asked for lies where no other user may go. */
const SHARED_FOLDER = '/var/lib/shopmesh';

/**
 * Finds or makes the data folder and decides which user it belongs to. When root asks
 * for a folder below one that only root may enter (such as a clone in /root), the data
 * go to /var/lib/shopmesh/<hash of the path>, and `path` says so. Throws, and touches
 * nothing, when the folder holds something else.
 */
export async function prepareDataFolder(asked: string): Promise<DataFolder> {
  const folder = await openFolder(asked, false);
  if (await canEnter(folder.path, folder.user)) return folder;
  if (folder.hasCluster) {
    const who = `user ${folder.user.uid}, who has the data in ${folder.path}`;
    throw refusal('START_FAILED', `${who}, may not enter that folder; let them in with chmod o+x`);
  }
  const hash = createHash('sha256').update(folder.path).digest('hex').slice(0, 12);
  await makeFolder(SHARED_FOLDER);
  return openFolder(join(SHARED_FOLDER, hash), true);
}

/** Others may pass through, since root's Postgres is another user, but not look around. */
async function makeFolder(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true }).catch((thrown: unknown) => {
    if (!['EEXIST', 'ENOTDIR'].includes(errorCode(thrown) ?? '')) throw thrown;
    throw refusal('INVALID_SETTING', `${path} is not a folder; give the database an empty folder of its own`, { cause: thrown });
  });
  // Whatever the umask says.
  if (created !== undefined) await chmod(path, 0o711);
}

async function openFolder(asked: string, isElsewhere: boolean): Promise<DataFolder> {
  await makeFolder(asked);
  const path = await realpath(asked);
  const cluster = join(path, 'cluster');
  const owner = await ownerOf(cluster);
  if (owner) await checkVersion(path, cluster, owner.uid);
  else await refuseForeign(path);
  return {
    path,
    isElsewhere,
    cluster,
    unfinished: join(path, 'cluster.new'),
    password: join(path, 'password'),
    log: join(path, 'postgres.log'),
    owner: join(path, 'owner.json'),
    hasCluster: owner !== undefined,
    user: await chooseRunUser(owner),
  };
}

const OWN_FILES = new Set(['cluster.new', 'password', 'postgres.log', 'owner.json']);

async function refuseForeign(path: string): Promise<void> {
  const foreign = (await readdir(path)).filter((name) => !OWN_FILES.has(name));
  if (foreign.length === 0) return;
  const what = `${path} is not a data folder of shopmesh (it holds ${foreign.slice(0, 3).join(', ')})`;
  throw refusal('INVALID_SETTING', `${what}; give the database an empty folder of its own`);
}

async function checkVersion(path: string, cluster: string, uid: number): Promise<void> {
  const self = process.getuid?.();
  if (self !== 0 && self !== uid) {
    const way = 'start as that user or as root, or use another data folder';
    throw refusal('START_FAILED', `the data in ${path} belong to user ${uid}; ${way}`);
  }
  const version = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (version === MAJOR_VERSION) return;
  if (version === '') throw refusal('START_FAILED', `${cluster} holds no data of Postgres (its PG_VERSION is missing or empty); restore it from a copy, or move ${path} away to begin anew`);
  const what = `data of Postgres ${version}, and this program brings Postgres ${MAJOR_VERSION}`;
  const way = `dump them with Postgres ${version}, or move ${path} away to begin anew`;
  throw refusal('START_FAILED', `${cluster} holds ${what}; ${way}`);
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
