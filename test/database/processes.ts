import { readdir, readFile } from 'node:fs/promises';

import { startOf } from '../../database/embedded/process-start.ts';
import { until } from './until.ts';

/** Linux only. */
export async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Linux only. */
export async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map((child) => parentOf(child).catch(() => 0)));
  return pids.filter((_, index) => parents[index] === pid);
}

/** The arguments of every process that runs. Linux only. */
export async function allArguments(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))).join('\n');
}

export async function isRunning(pid: number): Promise<boolean> {
  return (await startOf(pid)) !== undefined;
}

export async function untilGone(...pids: number[]): Promise<void> {
  for (const pid of pids) await until(`process ${pid} has ended`, async () => !(await isRunning(pid)));
}
