import { access } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether a process that is not our child ends within five seconds. */
export async function endsSoon(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (!(await isRunning(pid))) return true;
    await delay(25);
  }
  return false;
}

/** A zombie that nobody has reaped yet counts as ended: it holds no port, file or memory. */
async function isRunning(pid: number): Promise<boolean> {
  if (process.platform === 'linux') return succeeds(access(`/proc/${pid}/exe`));
  return succeeds(Promise.resolve().then(() => process.kill(pid, 0)));
}

function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}
