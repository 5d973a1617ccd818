import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Linux counts CPU in hundredths of a second here, whatever the kernel's own tick (USER_HZ). */
const MS_PER_TICK = 10;
const LOOK_EVERY_MS = 250;
/** Share of one core that a shop with nothing to do may use: it polls, and renews what it holds. */
const IDLE_SHARE = 0.15;

/** CPU that the process and all below it have used, in ms; of those that have ended, what their parents have waited for. */
export function cpuMsOfTree(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + cpuMsOf(each), 0);
}

/** Resolves when the tree has nothing left to do, such as events to hand on; after `atMostMs` in any case. Resolves with the ms it took. */
export async function untilIdle(pid: number, atMostMs: number): Promise<number> {
  const began = performance.now();
  let usedMs = cpuMsOfTree(pid);
  for (let lookedAt = began; lookedAt - began < atMostMs; ) {
    await delay(LOOK_EVERY_MS);
    const [used, now] = [cpuMsOfTree(pid), performance.now()];
    if ((used - usedMs) / (now - lookedAt) < IDLE_SHARE) return lookedAt - began;
    [usedMs, lookedAt] = [used, now];
  }
  return atMostMs;
}

/** Every process below `pid`, from the parents that /proc names. */
function descendants(pid: number): number[] {
  const children = Map.groupBy(readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number), (each) => Number(statOf(each)[1]));
  const below = (parent: number): number[] => (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function cpuMsOf(pid: number): number {
  const stat = statOf(pid);
  // utime and stime, cutime and cstime (proc_pid_stat(5)), counted from the state on.
  return stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * MS_PER_TICK;
}

/** The fields from the state on; none when the process has ended meanwhile. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
