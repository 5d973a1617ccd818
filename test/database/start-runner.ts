import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect } from 'chai';

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

export interface RunnerOptions {
  readonly uid?: number;
  readonly gid?: number;
  /** A program that starts the process, and its arguments. */
  readonly through?: readonly string[];
}

/** Starts an embedded Postgres from a process of its own, as this user or another. */
export async function startRunner(dataDir: string, { through = [], ...user }: RunnerOptions = {}): Promise<Runner> {
  const [execPath = process.execPath, ...execArgv] = [...through, process.execPath];
  const child = fork(join(import.meta.dirname, 'embedded-runner.ts'), [dataDir], { ...user, execPath, execArgv, detached: true });
  const exited = once(child, 'exit');
  const [message] = (await Promise.race([once(child, 'message'), exited])) as [RunnerMessage];
  if (typeof message !== 'object' || message === null) throw new Error('the runner ended before it said anything');
  return {
    process: child,
    message,
    async stop() {
      if (message.type === 'started' && child.connected) child.send('stop');
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** What a runner says that has started its Postgres; fails when it has not. */
export function started({ message }: Runner): RunnerMessage & { type: 'started' } {
  return message.type === 'started' ? message : expect.fail(message.message);
}

/** What a runner says that was refused; fails when it was not. */
export function refused({ message }: Runner): RunnerMessage & { type: 'refused' } {
  return message.type === 'refused' ? message : expect.fail('it started');
}
