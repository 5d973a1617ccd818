import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { MeshError, refusal, type Reason, REASONS } from '#kit';
import type { ModuleName } from '#modules';

import type { Served } from '../serving/serve.ts';
import { isChildMessage, type StartMessage } from './messages.ts';

const MESH = join(import.meta.dirname, '..', 'mesh.js');

/** What V8 gives new objects before it moves them: at 64 MB calls move far fewer; an idle process does not use it. */
const NODE_FLAGS = ['--max-semi-space-size=64'];

export interface ChildOptions {
  /** Shown by `mesh ps`, and the name of the log file. */
  readonly name: string;
  readonly services: readonly ModuleName[];
  readonly logFolder: string;
  readonly stopTimeoutMs: number;
  readonly environment: NodeJS.ProcessEnv;
  /** Program that runs `serve`. Default: the `mesh` command. */
  readonly launcher?: string;
}

/** A process that runs services, started by the supervisor. */
export interface Child {
  readonly pid: number | undefined;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Hands over the settings; resolves when every service serves, rejects with the reason why not. */
  start(environment: StartMessage['environment']): Promise<readonly Served[]>;
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(): Promise<void>;
}

/**
 * Starts a process that loads its services at once and waits for its settings: loading
 * is most of a start, and meanwhile Postgres comes up. It ends by itself when the channel
 * to its supervisor closes, so a killed supervisor leaves nothing running.
 */
export function spawnChild({ name, services, logFolder, stopTimeoutMs, environment, launcher = MESH }: ChildOptions): Child {
  const log = openLog(join(logFolder, `${name}.log`));
  const child = spawn(process.execPath, [...NODE_FLAGS, launcher, 'serve', ...services, '--supervised'], {
    stdio: ['ignore', log, log, 'ipc'],
    env: environment,
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  return {
    pid: child.pid,
    exited,
    start: (environment) => start(child, environment, exited, `${name} ended before it was ready; see ${join(logFolder, `${name}.log`)}`),
    stop: () => stop(child, exited, stopTimeoutMs),
  };
}

function start(child: ChildProcess, environment: StartMessage['environment'], exited: Promise<void>, endedEarly: string): Promise<readonly Served[]> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (!isChildMessage(message)) return;
      if (message.kind === 'ready') resolve(message.services);
      else reject(new MeshError(REASONS[message.reason as Reason] ?? 'INTERNAL', message.reason, message.message));
    });
    void exited.then(() => reject(refusal('START_FAILED', endedEarly)));
    const message: StartMessage = { kind: 'start', environment };
    child.send(message, () => {});
  });
}

async function stop(child: ChildProcess, exited: Promise<void>, timeoutMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await exited;
  clearTimeout(timer);
}

/** Appends to a log file; the one of the last run is kept beside it. */
function openLog(path: string): number {
  if (existsSync(path)) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}
