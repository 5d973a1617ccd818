import { readFileSync } from 'node:fs';

import { errorCode } from '#kit';

/**
 * Whether a process still runs. A zombie does not: it holds nothing any more, and where
 * process 1 is slow to reap, it stays for seconds.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    // Somebody else's process is one, too.
    return errorCode(thrown) === 'EPERM';
  }
  return process.platform !== 'linux' || !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in parentheses, may hold anything; the state follows it (proc_pid_stat(5)).
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true;
  }
}
