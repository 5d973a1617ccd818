import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type Guard = {
  /** The guarded process has ended: lets the guard go, and waits until it has. */
  release(): Promise<void>;
};

// A line on standard input means "released"; an end without one means that the
// test run died, however it died. Then the process is killed by its id and its
// folder removed.
const script = 'if ! read -r _; then kill -9 "$1" 2>/dev/null; sleep 1; rm -rf -- "$2"; fi';

/**
 * Sees to it that a started server does not outlive the test run, also when the
 * run is killed with -9 and no exit handler gets to run. The guard is a shell in
 * a process group of its own, so that Ctrl-C in the terminal does not end it first.
 */
export function guardProcess(pid: number, folder: string): Guard {
  const shell = spawn('/bin/sh', ['-c', script, 'guard', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  });
  const ended = once(shell, 'exit');
  ended.catch(() => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return {
    release: async () => {
      shell.ref();
      shell.stdin.end('released\n');
      await ended;
    },
  };
}
