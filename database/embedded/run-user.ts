import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { refusal } from '#kit';

/** The system user that Postgres runs as. */
export interface RunUser {
  readonly uid: number;
  readonly gid: number;
  /** True when this process is root and gives its rights up for Postgres. */
  readonly isOther: boolean;
}

/** Users for a Postgres that root starts, best first. None is created: that would change the machine. */
const UNPRIVILEGED = ['postgres', 'nobody'];

/**
 * Postgres refuses to run as root: root hands it to `owner`, who has the data already,
 * or to a user without rights. Everybody else runs it themselves.
 */
export async function chooseRunUser(owner: { uid: number; gid: number } | undefined): Promise<RunUser> {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? 0, isOther: false };
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, isOther: true };
  const users = await readUsers();
  for (const name of UNPRIVILEGED) {
    const user = users.get(name);
    if (user) return { ...user, isOther: true };
  }
  const what = `Postgres does not run as root, and there is no user ${UNPRIVILEGED.join(' or ')}`;
  throw refusal('START_FAILED', `${what}; start as another user, or set DATABASE_URL`);
}

/** What `spawn` needs to start a program as that user; libuv drops the supplementary groups, too. */
export function asUser({ uid, gid, isOther }: RunUser): { uid?: number; gid?: number } {
  return isOther ? { uid, gid } : {};
}

async function readUsers(): Promise<Map<string, { uid: number; gid: number }>> {
  const users = new Map<string, { uid: number; gid: number }>();
  for (const line of (await readFile('/etc/passwd', 'utf8')).split('\n')) {
    const [name = '', , uid, gid] = line.split(':');
    if (Number(uid) > 0) users.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return users;
}

/** Whether the user may enter this folder and every one above it, by their mode bits. */
export async function canEnter(folder: string, user: RunUser): Promise<boolean> {
  if (!user.isOther) return true;
  for (let path = folder; ; path = dirname(path)) {
    const { mode, uid, gid } = await stat(path);
    const enterBit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & enterBit) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
