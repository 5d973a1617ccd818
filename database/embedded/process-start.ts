import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * When a process started, in a form that only equality makes sense of: with its id it
 * names one process for ever, where the id alone is used again. Undefined when there
 * is none, or only a zombie that nobody has reaped.
 */
export async function startOf(pid: number): Promise<string | undefined> {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

async function startFromProc(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The command's name, in parentheses, may hold anything. After it come the state, field 3,
  // and, as field 22, the start time (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

async function startFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const [state = '', ...start] = stdout.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

const ASK_EVERY_MS = 10;

/** Waits until the process has ended; false when it is still there after `timeoutMs`. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const start = await startOf(pid);
  const giveUpAt = performance.now() + timeoutMs;
  while (start !== undefined && (await startOf(pid)) === start) {
    if (performance.now() > giveUpAt) return false;
    await delay(ASK_EVERY_MS);
  }
  return true;
}
