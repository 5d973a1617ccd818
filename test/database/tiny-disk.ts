import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statfs, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { makeTestFolder } from './postgres-fixture.ts';

/** A disk of its own with little room, which only programs started `through` it see. It is gone when this process is. */
export interface TinyDisk {
  /** Where it is, for programs that run through it. */
  readonly folder: string;
  /** Command and arguments to go before a program's own. */
  readonly through: readonly string[];
  /** Takes all room but `leaveBytes`. */
  fill(leaveBytes?: number): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  remove(): Promise<void>;
}

const BLOCK_BYTES = 4096;

/** Whether this machine lets us mount one. Where not, what needs it is not promised, and not tested either. */
export async function canMakeTinyDisk(): Promise<boolean> {
  const disk = await makeTinyDisk(1);
  await disk?.remove();
  return disk !== undefined;
}

/**
 * Mounts one in memory, in a mount namespace of its own (mount_namespaces(7)), so that nothing is
 * left whatever happens. Undefined where this process may not: it takes root, and in a container more.
 */
export async function makeTinyDisk(megabytes: number): Promise<TinyDisk | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const folder = await makeTestFolder();
  const script = `mount -t tmpfs -o size=${megabytes}m,mode=0711 tmpfs "$0" && echo mounted && exec cat`;
  // It ends with its standard input, which is ours, and takes the disk along.
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script, folder], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(holder, 'close').catch(() => []);
  const remove = async (): Promise<void> => {
    holder.stdin.end();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const said = await Promise.race([once(holder.stdout, 'data'), ended]);
  if (!String(said[0]).startsWith('mounted')) {
    await remove();
    return undefined;
  }
  // How the disk looks from outside of its namespace.
  const inside = join('/proc', String(holder.pid), 'root', folder);
  const ballast = join(inside, 'ballast');
  return {
    folder,
    through: ['nsenter', '--target', String(holder.pid), '--mount'],
    async fill(leaveBytes = 0) {
      const { bavail } = await statfs(inside);
      await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * BLOCK_BYTES - leaveBytes)));
    },
    free: () => rm(ballast, { force: true }),
    remove,
  };
}
