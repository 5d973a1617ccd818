import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type RunOptions = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
};

export type RunResult =
  | { readonly state: 'exited'; readonly code: number; readonly lastLines: readonly string[] }
  | { readonly state: 'not-started'; readonly reason: string }
  | { readonly state: 'stopped' };

const keptLines = 400;
const killAfterMs = 5_000;

/**
 * Runs a program to its end and keeps the last lines it printed. The program
 * gets a process group of its own, so that a stop also ends the compilers and
 * linkers that `go build` has started: it is asked first (SIGTERM), killed 5 s later.
 */
export function runProgram(options: RunOptions): Promise<RunResult> {
  if (options.signal.aborted) return Promise.resolve({ state: 'stopped' });
  return new Promise((settle) => {
    const child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const lastLines: string[] = [];
    const keep = (line: string): void => {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      options.onLine?.(line);
    };
    createInterface({ input: child.stdout }).on('line', keep);
    createInterface({ input: child.stderr }).on('line', keep);

    const signalGroup = (name: 'SIGTERM' | 'SIGKILL'): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, name);
      } catch {
        // The group has ended already.
      }
    };
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      signalGroup('SIGTERM');
      killTimer = setTimeout(() => signalGroup('SIGKILL'), killAfterMs);
    };
    options.signal.addEventListener('abort', stop, { once: true });

    const finish = (result: RunResult): void => {
      clearTimeout(killTimer);
      options.signal.removeEventListener('abort', stop);
      settle(options.signal.aborted ? { state: 'stopped' } : result);
    };
    child.once('error', (error) => finish({ state: 'not-started', reason: error.message }));
    child.once('close', (code) => finish({ state: 'exited', code: code ?? -1, lastLines }));
  });
}
