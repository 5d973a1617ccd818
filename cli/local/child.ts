import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { MeshError, refusal, type Reason, REASONS } from '#kit';
import type { ModuleName } from '#modules';

import type { Served } from '../serving/serve.ts';
import type { Environment } from './environment.ts';
import { isChildMessage, type StartMessage } from './messages.ts';

const MESH = join(import.meta.dirname, '..', 'mesh.js');

/** What V8 gives new objects before it moves them: at 64 MB calls move far fewer; an idle process does not use it. */
const NODE_FLAGS = ['--max-semi-space-size=64'];

export interface ChildOptions {
  /** Shown by `mesh ps`, and the name of the log file. */
  readonly name: string;
  readonly services: readonly ModuleName[];
  readonly logFolder: string;
  /** How long the process gives its own stop; a little later it is killed. */
  readonly stopTimeoutMs: number;
  readonly environment: NodeJS.ProcessEnv;
  /** Program that runs `serve`. Default: the `mesh` command. */
  readonly launcher?: string;
}

/** How a process ended, for people: `was killed (SIGKILL)`, `ended with exit code 1`. Empty when it ended well. */
export type Ending = string;

/** A process that runs services, started by the supervisor. */
export interface Child {
  readonly pid: number | undefined;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<Ending>;
  /** Hands over the settings; resolves when every service serves, rejects with the reason why not. */
  start(environment: Environment): Promise<readonly Served[]>;
  /** SIGTERM, and SIGKILL a second after it should have ended by itself. */
  stop(): Promise<void>;
}

/**
 * Starts a process that loads its services at once and waits for its settings: loading
 * is most of a start, and meanwhile Postgres comes up. It ends by itself when the channel
 * to its supervisor closes, so a killed supervisor leaves nothing running.
 */
export function spawnChild({ name, services, logFolder, stopTimeoutMs, environment, launcher = MESH }: ChildOptions): Child {
  const logPath = join(logFolder, `${name}.log`);
  const log = openLog(logPath);
  const child = spawn(process.execPath, [...NODE_FLAGS, launcher, 'serve', ...services, '--supervised'], {
    stdio: ['ignore', log, log, 'ipc'],
    env: environment,
  });
  closeSync(log);
  const exited = whenExited(child);
  return {
    pid: child.pid,
    exited,
    start: (settings) => start({ child, name, logPath, exited }, settings),
    stop: () => stop(child, exited, stopTimeoutMs),
  };
}

function whenExited(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(`could not be run (${message})`));
    child.once('exit', (code, signal) => {
      if (signal) resolve(`was killed (${signal})`);
      else resolve(code === 0 ? '' : `ended with exit code ${code}`);
    });
  });
}

interface Starting {
  readonly child: ChildProcess;
  readonly name: string;
  readonly logPath: string;
  readonly exited: Promise<Ending>;
}

function start({ child, name, logPath, exited }: Starting, environment: Environment): Promise<readonly Served[]> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (!isChildMessage(message)) return;
      if (message.kind === 'ready') return resolve(message.services);
      // The reason has travelled as text; one that is not in the catalogue is INTERNAL.
      const code = REASONS[message.reason as Reason] ?? 'INTERNAL';
      reject(new MeshError(code, message.reason, `${name} could not start: ${message.message}. Its log: ${logPath}`));
    });
    void exited.then((ending) => {
      reject(refusal('START_FAILED', `${name} ${ending || 'ended'} before it was ready${lastWords(logPath)}. Its log: ${logPath}`));
    });
    const message: StartMessage = { kind: 'start', environment };
    child.send(message, () => {});
  });
}

/** A process whose time is up ends by itself, without what has not stopped. This is for one that cannot even do that. */
const KILL_AFTER_MS = 1_000;

async function stop(child: ChildProcess, exited: Promise<Ending>, timeoutMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs + KILL_AFTER_MS);
  await exited;
  clearTimeout(timer);
}

const MAX_WORDS = 200;

/** The line that says most in what a process wrote before it fell: its error, else the last one. */
function lastWords(logPath: string): string {
  const lines = readLog(logPath).trim().split('\n');
  const telling = lines.findLast((line) => /^(\w*Error|error|FATAL)\b/.test(line)) ?? lines.at(-1) ?? '';
  return telling === '' ? '' : `: ${telling.slice(0, MAX_WORDS)}`;
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Removed meanwhile: then there is nothing more to say.
    return '';
  }
}

/** Appends to a log file; the one of the last run is kept beside it. */
function openLog(path: string): number {
  if (existsSync(path)) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}
