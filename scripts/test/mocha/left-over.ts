import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export type LeftOver = { readonly pid: number; readonly command: string };

/** Every process that a test starts inherits this variable, also a detached one. */
export const markerVariable = 'SHOPMESH_TEST_RUN';

const patienceMs = 3_000;
const askEveryMs = 100;

/**
 * The processes that a test process has left behind, after a moment for those that are
 * just ending. They are killed, so that they do not disturb the next file.
 */
export async function endLeftOvers(testPid: number, marker: string): Promise<LeftOver[]> {
  const giveUpMs = performance.now() + patienceMs;
  let left = await findLeftOvers(testPid, marker);
  while (left.length > 0 && performance.now() < giveUpMs) {
    await delay(askEveryMs);
    left = await findLeftOvers(testPid, marker);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  return left;
}

function findLeftOvers(testPid: number, marker: string): Promise<LeftOver[]> {
  return process.platform === 'linux' ? findInProc(testPid, marker) : findByGroup(testPid);
}

/** By the inherited variable, else by the session, which the test process leads. */
async function findInProc(testPid: number, marker: string): Promise<LeftOver[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid): Promise<LeftOver[]> => {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
      const [environment, stat] = await Promise.all([read('environ'), read('stat')]);
      // After the command's name, which may hold anything: state, parent, group, session.
      const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ours = environment.includes(marker) || session === String(testPid);
      if (!ours || pid === testPid || state === 'Z' || state === 'X') return [];
      const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
      return command === '' ? [] : [{ pid, command: command.slice(0, 200) }];
    }),
  );
  return found.flat();
}

/** Other systems do not show the variables of a process: what left the group goes unseen. */
async function findByGroup(testPid: number): Promise<LeftOver[]> {
  const { stdout } = await promisify(execFile)('ps', ['-ax', '-o', 'pid=,pgid=,stat=,command=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, group, state = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const ours = Number(group) === testPid && Number(pid) !== testPid && !state.startsWith('Z');
    return ours ? [{ pid: Number(pid), command: command.slice(0, 200) }] : [];
  });
}
