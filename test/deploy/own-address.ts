import { randomInt } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Loopback addresses that no one else uses: on Linux every address of 127.0.0.0/8 is this machine's, without
 * being set up. By chance, so that two runs of the tests at once do not meet on the services' well-known ports.
 */
export function ownAddresses(count: number): string[] {
  const network = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  return Array.from({ length: count }, (_, index) => `${network}.${index + 2}`);
}

export const hasOwnAddresses = process.platform === 'linux';

/** Where a process listens, as `address:port`; all its TCP sockets, of either family (proc_pid_net(5)). */
export async function listeningOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}`;
  const links = await Promise.all((await readdir(`${folder}/fd`)).map((fd) => readlink(`${folder}/fd/${fd}`).catch(() => '')));
  const own = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`${folder}/net/${name}`, 'utf8').catch(() => '')));
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([, local = '', , state, , , , , , inode]) => (state === LISTEN && own.has(inode) ? [readAddress(local)] : [])).sort();
}

const LISTEN = '0A';

/** `0302017F:C383`: words in the machine's byte order, port in the network's. IPv6 is left as it is, for it is never right. */
function readAddress(text: string): string {
  const [address = '', port = ''] = text.split(':');
  const bytes = Buffer.from(address, 'hex');
  return `${bytes.length === 4 ? bytes.reverse().join('.') : `[${address}]`}:${Number.parseInt(port, 16)}`;
}
