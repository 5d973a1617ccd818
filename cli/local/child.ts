import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { MeshError, refusal, type Reason, REASONS } from '#kit';
import type { ModuleName } from '#modules';

import type { Served } from '../serving/serve.ts';
import { answerOutdated } from './answer-outdated.ts';
import type { Environment } from './environment.ts';
import { isChildMessage, type StartMessage } from './messages.ts';
import type { TablesOwner } from './tables-owner.ts';

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
  /** Brings its tables up to date when it finds them old. Left out: they are refused. */
  readonly tablesOwner?: TablesOwner;
  /** Program that runs `serve`. Default: the `mesh` command. */
  readonly launcher?: string;
  /** A log last written before this, in milliseconds since the epoch, is of an earlier run of the shop. Default: the start of this process. */
  readonly runBeganAt?: number;
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
 * to its supervisor closes, so a killed supervisor leaves nothing running. Never throws:
 * what cannot be run has ended, and says why.
 */
export function spawnChild(options: ChildOptions): Child {
  try {
    return run(options);
  } catch (thrown) {
    const ending = couldNotBeRun(thrown instanceof Error ? thrown.message : String(thrown));
    const refused = (): Promise<never> => Promise.reject(refusal('START_FAILED', `${options.name} ${ending}`, { cause: thrown }));
    return { pid: undefined, exited: Promise.resolve(ending), start: refused, stop: () => Promise.resolve() };
  }
}

function run({ name, services, logFolder, stopTimeoutMs, environment, tablesOwner, launcher = MESH, runBeganAt = performance.timeOrigin }: ChildOptions): Child {
  const log = openLog(join(logFolder, `${name}.log`), runBeganAt);
  try {
    const child = spawn(process.execPath, [...NODE_FLAGS, launcher, 'serve', ...services, '--supervised'], {
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
      env: environment,
    });
    const exited = whenExited(child);
    answerOutdated(child, services, tablesOwner);
    return {
      pid: child.pid,
      exited,
      start: (settings) => start({ child, name, log, exited }, settings),
      stop: () => stop(child, exited, stopTimeoutMs),
    };
  } finally {
    closeSync(log.fd);
  }
}

function couldNotBeRun(why: string): Ending {
  return `could not be run (${why})`;
}

function whenExited(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    // Also told of signals that did not reach it: those do not end it.
    child.on('error', ({ message }) => {
      if (child.pid === undefined) resolve(couldNotBeRun(message));
    });
    child.once('exit', (code, signal) => {
      if (signal) resolve(`was killed (${signal})`);
      else resolve(code === 0 ? '' : `ended with exit code ${code}`);
    });
  });
}

interface Starting {
  readonly child: ChildProcess;
  readonly name: string;
  readonly log: OpenLog;
  readonly exited: Promise<Ending>;
}

const SECOND_SHOP = 'for a second shop on this machine set all MESH_PORT_<SERVICE>=0';

function start({ child, name, log, exited }: Starting, environment: Environment): Promise<readonly Served[]> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (!isChildMessage(message) || message.kind === 'outdated') return;
      if (message.kind === 'ready') return resolve(message.services);
      // The reason has travelled as text; one that is not in the catalogue is INTERNAL.
      const code = REASONS[message.reason as Reason] ?? 'INTERNAL';
      const sentence = message.reason === 'PORT_IN_USE' ? `${message.message}; ${SECOND_SHOP}` : message.message;
      reject(new MeshError(code, message.reason, `${name} could not start: ${sentence}. Its log: ${log.path}`));
    });
    void exited.then((ending) => {
      reject(refusal('START_FAILED', `${name} ${ending || 'ended'} before it was ready${lastWords(log)}. Its log: ${log.path}`));
    });
    const message: StartMessage = { kind: 'start', environment };
    // One that could not be run has no channel.
    if (child.connected) child.send(message, () => {});
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
const LAST_BYTES = 64 * 1_024;

/** The line that says most in what a process wrote before it fell: its error, else the last one. */
function lastWords(log: OpenLog): string {
  const lines = readEnd(log).trim().split('\n');
  const telling = lines.findLast((line) => /^(\w*Error|error|FATAL)\b/.test(line)) ?? lines.at(-1) ?? '';
  return telling === '' ? '' : `: ${telling.slice(0, MAX_WORDS)}`;
}

/** Without what earlier lives wrote. */
function readEnd({ path, beginsAt }: OpenLog): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      const from = Math.max(beginsAt, size - LAST_BYTES);
      const bytes = Buffer.alloc(Math.max(0, size - from));
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, from));
    } finally {
      closeSync(fd);
    }
  } catch {
    // Removed meanwhile: then there is nothing more to say.
    return '';
  }
}

/** The log of one life of a process, in the file of all that it had in this run of the shop. */
interface OpenLog {
  readonly path: string;
  readonly fd: number;
  /** How many bytes earlier lives have written. */
  readonly beginsAt: number;
}

const MAX_LOG_BYTES = 50 * 2 ** 20;

/**
 * A process that is run again goes on in its log, so that what ended it stays to be read
 * however often it ends. Set aside as `.1`, in place of the one before, is what an earlier
 * run of the shop wrote, and what has become large.
 */
function openLog(path: string, runBeganAt: number): OpenLog {
  // Somebody who cleared up meanwhile must not be the end of a process.
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const former = statSync(path, { throwIfNoEntry: false });
  if (former && (former.mtimeMs < runBeganAt || former.size >= MAX_LOG_BYTES)) renameSync(path, `${path}.1`);
  const fd = openSync(path, 'a', 0o600);
  return { path, fd, beginsAt: fstatSync(fd).size };
}
