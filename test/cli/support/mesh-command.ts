import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

import { guardProcess } from '../../backends/guard.ts';
import { eventually } from './eventually.ts';
import type { Environment } from './shop-folder.ts';

const MESH = join(import.meta.dirname, '..', '..', '..', 'cli', 'mesh.js');

export interface CommandOptions {
  readonly environment: Environment;
  readonly cwd?: string;
  /** For its standard input. Default: nothing. */
  readonly input?: string;
  /** Makes the command believe that a Node too old for it runs it. */
  readonly onOldNode?: boolean;
}

/** What `mesh` finds out about its Node, the other way round. */
const OLD_NODE = ['--import', 'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.11.0" })'];

/** How a command ended and what it printed. */
export interface Finished {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `mesh` as people do, in a process of its own, to its end. */
export async function mesh(args: readonly string[], { environment, cwd, input }: CommandOptions): Promise<Finished> {
  const child = spawn(process.execPath, [MESH, ...args], { env: environment, cwd, stdio: 'pipe' });
  child.stdin.on('error', () => undefined).end(input);
  return finishedOf(child);
}

/** A `mesh` that runs on, such as `mesh up`. */
export interface RunningCommand {
  readonly pid: number;
  readonly finished: Promise<Finished>;
  output(): string;
  /** Waits until it has printed this; fails when it ends before. */
  untilPrinted(text: string | RegExp): Promise<void>;
  /** Closes our end of its standard output: what it writes there is EPIPE. */
  closeOutput(): void;
  /** To it alone. */
  kill(signal: NodeJS.Signals): void;
  /** To its whole process group, as a terminal does for Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void;
}

/** Five times what a cold start takes on a busy machine of two cores. */
const START_MS = 50_000;

/** Starts `mesh` in a process group of its own. `folder` is removed if the test run dies. */
export function startMesh(args: readonly string[], { environment, cwd, onOldNode = false }: CommandOptions, folder: string): RunningCommand {
  const child = spawn(process.execPath, [...(onOldNode ? OLD_NODE : []), MESH, ...args], { env: environment, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error('mesh could not be started');
  const guard = guardProcess(pid, folder);
  let isOver = false;
  const written = collect(child);
  const finished = finishedOf(child, written).then(async (result) => {
    isOver = true;
    await guard.release();
    return result;
  });
  return {
    pid,
    finished,
    output: () => written.stdout + written.stderr,
    untilPrinted: async (text) => {
      const matches = (): boolean => (typeof text === 'string' ? written.stdout.includes(text) : text.test(written.stdout));
      await eventually(`mesh has printed ${text}`, () => matches() || isOver, START_MS);
      if (!matches()) throw new Error(`mesh ended before it printed ${text}:\n${written.stdout}${written.stderr}`);
    },
    closeOutput: () => void child.stdout?.destroy(),
    kill: (signal) => void process.kill(pid, signal),
    killGroup: (signal) => void process.kill(-pid, signal),
  };
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const written = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (written.stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (written.stderr += chunk));
  return written;
}

async function finishedOf(child: ChildProcess, written = collect(child)): Promise<Finished> {
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  return { exitCode, ...written };
}
