import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process as anybody on its machine sees it, or at least its own user. */
export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  /** With its arguments. */
  readonly command: string;
  /** Variables as `NAME=value`; empty where they are not ours to see. */
  readonly environment: readonly string[];
}

/**
 * Every process that this one has started, and those have started in turn. What else runs on the machine, such as the shops of
 * other tests, has secrets of its own, and some are the same: the key of the card company's simulator, the password of a test's
 * cluster.
 */
export function descendants(): SeenProcess[] {
  const byParent = Map.groupBy(existsSync('/proc/self/stat') ? fromProc() : fromPs(), ({ parent }) => parent);
  const below = (pid: number): SeenProcess[] => (byParent.get(pid) ?? []).flatMap((child) => [child, ...below(child.pid)]);
  return below(process.pid);
}

function fromProc(): SeenProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => ({ pid: Number(pid), parent: parentOf(pid), command: parts(`/proc/${pid}/cmdline`).join(' '), environment: parts(`/proc/${pid}/environ`) }));
}

/** The state and the parent stand behind the command's name, which may hold anything. */
function parentOf(pid: string): number {
  const [stat = ''] = parts(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

/** It may have ended, or be somebody else's. */
function parts(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

/** Where there is no /proc, as on macOS: the environment stands behind the arguments there. */
function fromPs(): SeenProcess[] {
  const lines = execFileSync('ps', ['axwwE', '-o', 'pid=,ppid=,command='], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, text = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    const first = / (?=[A-Z][A-Z0-9_]*=)/.exec(text)?.index ?? text.length;
    const environment = text.slice(first).split(/ (?=[A-Z][A-Z0-9_]*=)/).filter(Boolean);
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command: text.slice(0, first), environment }];
  });
}
