import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What `embedded-runner.ts` says. */
export type RunnerMessage =
  | { readonly type: 'started'; readonly pid: number; readonly url: string }
  | { readonly type: 'refused'; readonly reason: string; readonly message: string };

export interface Runner {
  readonly process: ChildProcess;
  readonly message: RunnerMessage;
  /** Stops Postgres, then the process ends. */
  stop(): Promise<void>;
  /** Kills the process with SIGKILL. */
  kill(): Promise<void>;
}

/** Starts an embedded Postgres from a process of its own, as this user or another. */
export async function startRunner(dataDir: string, user: { uid?: number; gid?: number } = {}): Promise<Runner> {
  const child = fork(join(import.meta.dirname, 'embedded-runner.ts'), [dataDir], { ...user, detached: true });
  const exited = once(child, 'exit');
  const [message] = (await Promise.race([once(child, 'message'), exited])) as [RunnerMessage];
  if (typeof message !== 'object' || message === null) throw new Error('the runner ended before it said anything');
  return {
    process: child,
    message,
    async stop() {
      if (message.type === 'started') child.send('stop');
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
