// npm test: checks and tests, with the counts on the last line. See --help.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { helpText, readArguments } from './arguments.ts';
import { exitCode, summary } from './results.ts';

const root = join(import.meta.dirname, '..', '..');
const stopCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof stopCodes;

async function run(args: readonly string[]): Promise<number> {
  const request = readArguments(args);
  if (request.action === 'help') {
    process.stdout.write(helpText);
    return 0;
  }
  if (request.action === 'refuse') {
    process.stderr.write(`${request.reason}\n`);
    return 2;
  }
  if (!(await ensureInstalled())) return 1;
  // Loaded late: it imports packages that may only now be there.
  const { runStages } = await import('./run.ts');
  const ci = process.env['CI'] === 'true';
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const stop = watchSignals();
  const outcome = await runStages(request, { root, ci, signal: stop.signal, print });
  if (outcome.state === 'refused') {
    process.stderr.write(`${outcome.reason}\n`);
    return 2;
  }
  const stoppedBy = stop.stoppedBy();
  if (stoppedBy !== undefined) print('\nStopped before the end.');
  print(`\n${summary(outcome.results, ci)}`);
  return stoppedBy === undefined ? exitCode(outcome.results, ci) : stopCodes[stoppedBy];
}

/** npm has done this already, unless it was told to ignore scripts. */
async function ensureInstalled(): Promise<boolean> {
  const child = spawn(process.execPath, [join(root, 'scripts', 'ensure-installed.js')], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}

function watchSignals(): { signal: AbortSignal; stoppedBy(): StopSignal | undefined } {
  const controller = new AbortController();
  let first: StopSignal | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      first ??= name;
      controller.abort();
    });
  }
  return { signal: controller.signal, stoppedBy: () => first };
}

process.exitCode = await run(process.argv.slice(2));
