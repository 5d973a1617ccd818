import { execFile } from 'node:child_process';
import { readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startOf, waitUntilGone } from './process-start.ts';

/** What `postmaster.pid` says (https://www.postgresql.org/docs/18/storage-file-layout.html). */
export interface Postmaster {
  readonly pid: number;
  /** `starting`, `ready`, `stopping`; empty while the file is being written. */
  readonly status: string;
}

const PID_LINE = 0;
const STATUS_LINE = 7;

export async function readPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(pidFile(cluster), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number.parseInt(lines[PID_LINE] ?? '', 10);
  return pid > 0 ? { pid, status: lines[STATUS_LINE]?.trim() ?? '' } : undefined;
}

function pidFile(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}

const FAST_MS = 15_000;
const IMMEDIATE_MS = 5_000;

/**
 * Stops a Postgres that a killed supervisor left on this data, if there is one. It is
 * not taken over: nobody would hold its lifeline, and a stop costs less than 0.1 s.
 * Returns whether there was one.
 */
export async function stopLeftover(cluster: string): Promise<boolean> {
  const found = await readPostmaster(cluster);
  if (!found || (await startOf(found.pid)) === undefined) return false;
  if (!(await runsOn(found.pid, cluster))) {
    // An old file, whose number is somebody else's by now: Postgres would take that one for its own
    // kind and not start. (It has a second lock, by shared memory, against a real one.)
    await rm(pidFile(cluster), { force: true });
    return false;
  }
  for (const [signal, patienceMs] of [['SIGINT', FAST_MS], ['SIGQUIT', IMMEDIATE_MS], ['SIGKILL', IMMEDIATE_MS]] as const) {
    try {
      process.kill(found.pid, signal);
    } catch {
      // It has just ended.
    }
    if (await waitUntilGone(found.pid, patienceMs)) return true;
  }
  return true;
}

/** Postgres works in its data folder and has its path among its arguments. */
async function runsOn(pid: number, cluster: string): Promise<boolean> {
  if (process.platform === 'linux') return (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === cluster;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.includes(`-D ${cluster} `);
}
