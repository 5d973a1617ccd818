import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { guardProcess } from './guard.ts';

export type ServerOptions = {
  /** For error messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its working folder, removed by the guard if the test run dies. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** It is killed after this time, whatever the test does. Default 1,800,000 (30 minutes). */
  readonly lifetimeMs?: number;
};

export type ServerProcess = {
  readonly pid: number;
  /** The last 64 KB that it printed. */
  output(): string;
  hasExited(): boolean;
  /** Asks it to end (SIGTERM), kills it after 5 s, and returns when it has ended. */
  stop(): Promise<void>;
  /** Kills it at once (SIGKILL) and returns when it has ended. */
  kill(): Promise<void>;
};

const defaultLifetimeMs = 30 * 60 * 1000;
const graceMs = 5_000;
const keptOutput = 64 * 1024;

export function startProcess(options: ServerOptions): ServerProcess {
  const child = spawn(options.command, options.args, {
    cwd: options.folder,
    // Nothing from outside that could change its settings (CONSUL_*, OTEL_*, PORT, proxies).
    env: { PATH: process.env['PATH'] ?? '', HOME: options.folder, TMPDIR: options.folder, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  let exited = pid === undefined;
  let output = '';
  const keep = (chunk: string): void => {
    output = (output + chunk).slice(-keptOutput);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  child.once('error', (error) => keep(`${error.message}\n`));
  if (pid === undefined) throw new Error(`${options.name} could not be started: ${options.command}`);

  const guard = guardProcess(pid, options.folder);
  const lifetime = setTimeout(() => child.kill('SIGKILL'), options.lifetimeMs ?? defaultLifetimeMs);
  lifetime.unref();
  const ended = new Promise<void>((settle) => {
    child.once('close', () => {
      exited = true;
      clearTimeout(lifetime);
      void guard.release().then(settle, settle);
    });
  });
  return {
    pid,
    output: () => output,
    hasExited: () => exited,
    stop: async () => {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(force);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const askEveryMs = 25;

/** Asks until the server says yes. Fails as soon as it has ended, with what it printed. */
export async function untilReady(
  name: string,
  server: ServerProcess,
  isReady: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs;
  while (!(await isReady())) {
    if (server.hasExited()) throw new Error(`${name} ended while it was starting:\n${server.output()}`);
    if (performance.now() > giveUpAtMs) {
      throw new Error(`${name} was not ready after ${timeoutMs} ms:\n${server.output()}`);
    }
    await delay(askEveryMs);
  }
}
