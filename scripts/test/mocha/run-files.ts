import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestResult } from '../results.ts';
import { endLeftOvers, markerVariable } from './left-over.ts';
import type { TestMessage, TestOrder } from './messages.ts';

export type FilesRun = {
  readonly root: string;
  readonly files: readonly string[];
  readonly grep: string | undefined;
  readonly ci: boolean;
  readonly signal: AbortSignal;
  /** Undefined: the tests write straight to the terminal; else they are shown whole when they are through. */
  readonly print: ((text: string) => void) | undefined;
};

const silentLimitMs = 10 * 60_000;
const endLimitMs = 30_000;
const stopLimitMs = 15_000;

/** Runs test files in one process of their own and sees to it that nothing of it stays. */
export async function runFiles(run: FilesRun): Promise<TestResult[]> {
  const marker = randomUUID();
  const child = startTestProcess(run, marker);
  const output = collectOutput(child);
  const results: TestResult[] = [];
  const watch = watchProgress(child, results);
  const onAbort = (): void => watch.stop();
  run.signal.addEventListener('abort', onAbort, { once: true });
  // Its last messages may still be on the way when it has exited; they are in when the channel closes.
  const [exit] = await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  const [code, signal] = exit as [number | null, string | null];
  run.signal.removeEventListener('abort', onAbort);
  watch.end();

  const left = await endLeftOvers(child.pid ?? -1, marker);
  run.print?.(output());
  const fail = (what: string, detail: string): void => {
    const [first, ...others] = run.files;
    const last = others.at(-1);
    if (last === undefined) results.push({ state: 'failed', name: `${first}: ${what}`, detail });
    // Which one it was, `--jobs 1` shows.
    else results.push({ state: 'failed', name: `one of ${run.files.length} files in one process, from ${first} to ${last}: ${what}`, detail });
  };
  if (run.signal.aborted) return results;
  if (watch.heldOpenBy() !== undefined) fail('does not end', `Still open after the last test: ${watch.heldOpenBy()}.`);
  else if (!watch.ended()) fail('died', `The process ended (${signal ?? `exit code ${code}`}) before its tests were through.`);
  if (left.length > 0) fail('leaves processes behind', left.map(({ pid, command }) => `${pid} ${command}`).join('\n'));
  return results;
}

function startTestProcess({ root, files, grep, ci, print }: FilesRun, marker: string): ChildProcess {
  const color = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
  const order: TestOrder = { files, grep, color, forbidOnly: ci };
  const stdio = print === undefined ? 'inherit' : 'pipe';
  // A run inside a run keeps the outer one's marker too.
  const markers = [process.env[markerVariable], marker].filter((part) => part !== undefined).join(',');
  // Loading packages is a good part of a file's time; cli/mesh.js keeps its cache in the same place.
  const cache = join(root, 'node_modules', '.cache', 'compile');
  return spawn(process.execPath, [join(import.meta.dirname, 'test-process.ts'), JSON.stringify(order)], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: cache, ...process.env, [markerVariable]: markers },
    stdio: ['ignore', stdio, stdio, 'ipc'],
    // A session of its own: Ctrl-C reaches the tests through this runner, once and in order.
    detached: true,
  });
}

/** Not read to its end: a process left behind could hold the pipe open for ever. */
function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream?.on('error', () => undefined);
  }
  return () => {
    child.stdout?.destroy();
    child.stderr?.destroy();
    return text;
  };
}

/** Takes the results as they come, and ends a process that has gone silent or does not end. */
function watchProgress(child: ChildProcess, results: TestResult[]) {
  let ended = false;
  let heldOpenBy: string | undefined;
  const kill = (): void => void child.kill('SIGKILL');
  let timer = setTimeout(kill, silentLimitMs);
  const rearm = (limitMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(kill, limitMs);
  };
  child.on('message', (message: TestMessage) => {
    rearm(ended || message.type === 'end' ? endLimitMs : silentLimitMs);
    if (message.type === 'end') ended = true;
    else if (message.type === 'held-open') heldOpenBy = message.by.join(', ');
    else results.push(message.result);
  });
  return {
    ended: () => ended,
    heldOpenBy: () => heldOpenBy,
    end: () => clearTimeout(timer),
    stop: () => {
      child.kill('SIGINT');
      rearm(stopLimitMs);
    },
  };
}
