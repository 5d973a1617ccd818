import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { guardProcess } from '../backends/guard.ts';

/** A system user, by numbers. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of its environment: nothing comes from outside. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: who runs the tests. */
  readonly user?: SystemUser | undefined;
  /** Removed when the test run dies, after the program was killed. */
  readonly scratch: string;
}

export interface Program {
  readonly pid: number;
  /** Both streams so far. */
  output(): string;
  /** The first line on standard output; rejects with the output when the program ends without one. */
  readonly firstLine: Promise<string>;
  /** Its exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  /** SIGTERM, SIGKILL after 30 s; the exit code. */
  stop(): Promise<number | null>;
}

const PATIENCE_MS = 30_000;

export function startProgram({ command, args, cwd, env, user, scratch }: ProgramOptions): Program {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], ...user });
  const { pid } = child;
  let output = '';
  let standardOutput = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      standardOutput += text;
      const [line, rest] = standardOutput.split('\n', 2);
      if (rest !== undefined) resolve(line ?? '');
    });
    child.once('close', () => reject(new Error(`${command} ${args.join(' ')} ended without a word:\n${output}`)));
  });
  firstLine.catch(() => undefined);
  if (pid === undefined) throw new Error(`${command} could not be started`);
  const guard = guardProcess(pid, scratch);
  const ended = once(child, 'close').then(async ([code]: unknown[]) => {
    await guard.release();
    return typeof code === 'number' ? code : null;
  });
  return {
    pid,
    output: () => output,
    firstLine,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      const code = await ended;
      clearTimeout(force);
      return code;
    },
  };
}

/** Runs a program to its end; throws with its output unless that is an exit with 0. */
export async function runProgram(options: ProgramOptions): Promise<string> {
  const program = startProgram(options);
  const code = await program.ended;
  if (code !== 0) throw new Error(`${options.command} ${options.args.join(' ')} ended with ${code}:\n${program.output()}`);
  return program.output();
}
