import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a shop that has ended must not leave: processes that know its data folder, its sockets and locks. */
export async function leftOvers(dataDir: string, controlSocket: string): Promise<readonly string[]> {
  const cluster = join(dataDir, 'postgres', 'cluster');
  const files = [controlSocket, join(dataDir, 'postgres', 'owner.json'), join(cluster, 'postmaster.pid')];
  return [...(await processesThatName(dataDir)), ...files.filter((path) => existsSync(path))];
}

/** The running processes that have this folder in their environment or their arguments, other than this one. */
export async function processesThatName(folder: string): Promise<readonly string[]> {
  return process.platform === 'linux' ? fromProc(folder) : fromPs(folder);
}

async function fromProc(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
      const [environment, command] = await Promise.all([read('environ'), read('cmdline')]);
      // A zombie has neither.
      return environment.includes(folder) || command.includes(folder) ? [`${pid} ${command.replaceAll('\0', ' ').trim()}`] : [];
    }),
  );
  // The guard of the test itself has the folder among its arguments, to remove it.
  return found.flat().filter((line) => !/ guard \d+ /.test(line));
}

async function fromPs(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axEww', '-o', 'pid=,command=']);
  return stdout.split('\n').filter((line) => line.includes(folder) && !line.includes('ps -axEww') && !/ guard \d+ /.test(line));
}

/** Whether somebody listens there. */
export function isListening(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address.includes('://') ? address : `tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
