// Runs test files in a process of its own, for run-files.ts. Mocha's own command would take
// the spec patterns of .mocharc.json besides the files asked for, lets a rejected promise that
// nobody awaits pass, and does not say what keeps the process from ending.
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import Mocha from 'mocha';
import type { TestResult } from '../results.ts';
import type { TestMessage, TestOrder } from './messages.ts';

const patienceMs = 5_000;

async function run(order: TestOrder): Promise<void> {
  const { timeout, slow } = await readConfig();
  const { color, grep } = order;
  const mocha = new Mocha({ timeout, slow, color, reporter: 'spec', ...(grep === undefined ? {} : { grep }) });
  if (order.forbidOnly) mocha.forbidOnly();
  for (const file of order.files) await load(mocha, file);
  process.on('unhandledRejection', (reason) => {
    // Mocha turns what is thrown here into a failure of the running test.
    throw reason;
  });
  const runner = mocha.run((failures) => {
    process.exitCode = failures > 0 ? 1 : 0;
    tell({ type: 'end' });
    watchForHandles();
  });
  follow(runner);
  endWithRunner(runner);
}

async function readConfig(): Promise<{ timeout: number; slow: number }> {
  return JSON.parse(await readFile(new URL('../../../.mocharc.json', import.meta.url), 'utf8')) as { timeout: number; slow: number };
}

/** One file that cannot be loaded fails alone; the others still run. */
async function load(mocha: Mocha, file: string): Promise<void> {
  mocha.files = [resolve(file)];
  try {
    await mocha.loadFilesAsync();
  } catch (error) {
    const detail = describe(error);
    process.stdout.write(`\n  ${file} cannot be loaded: ${detail}\n`);
    report({ state: 'failed', name: `${file}: cannot be loaded`, detail });
  }
}

function follow(runner: Mocha.Runner): void {
  runner.on('pass', (test) => report({ state: 'passed', name: nameOf(test) }));
  runner.on('pending', (test) => report({ state: 'skipped', name: nameOf(test) }));
  runner.on('fail', (test, error: unknown) => report({ state: 'failed', name: nameOf(test), detail: describe(error) }));
}

function nameOf(test: Mocha.Runnable): string {
  const title = test.titlePath().join(' › ');
  return test.file === undefined ? title : `${relative(process.cwd(), test.file)}: ${title}`;
}

/** Ctrl-C, and the death of the runner however it died, end the tests after their `after` hooks. */
function endWithRunner(runner: Mocha.Runner): void {
  const abort = (): void => {
    runner.abort();
    setTimeout(() => process.exit(130), patienceMs).unref();
  };
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  process.once('disconnect', abort);
  // The listener above must not itself keep the process alive.
  process.channel?.unref();
}

/** A socket, timer or process that a test left open would keep the process from ending. */
function watchForHandles(): void {
  setTimeout(() => {
    const counts = Map.groupBy(process.getActiveResourcesInfo(), (name) => name);
    tell({ type: 'held-open', by: [...counts].map(([name, { length }]) => `${length} ${name}`) }, () => process.exit(1));
  }, patienceMs).unref();
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The stack repeats the message; of the places, the first of ours is what helps.
  const place = error.stack?.split('\n').find((line) => /^\s+at .*file:/.test(line) && !line.includes('node_modules'));
  return [error.message || error.name, ...(place === undefined ? [] : [place.trim()])].join('\n');
}

function report(result: TestResult): void {
  tell({ type: 'result', result });
}

function tell(message: TestMessage, told: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, told);
  else told();
}

await run(JSON.parse(process.argv[2] ?? '{}') as TestOrder);
