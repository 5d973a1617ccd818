// npm run backends: installs the real servers of the real test tier. See --help.
import { helpText, readArguments } from './arguments.ts';
import { backendsFolder } from './folders.ts';
import { minutes } from './progress.ts';
import { CannotBuild, describeOutcomes, listBackends, provideBackends, type Outcome } from './provide.ts';

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
  const { env } = process;
  const { chosen, json } = request;
  const show = (outcome: Outcome): void => {
    if (!json) process.stdout.write(`${sentence(outcome)}\n`);
  };
  if (!json) process.stdout.write(`Backends in ${backendsFolder(env)}\n`);
  if (request.action === 'list') {
    const found = await listBackends(chosen, env);
    found.forEach(show);
    if (json) process.stdout.write(describeOutcomes(found, env));
    return found.every((outcome) => outcome.state === 'present') ? 0 : 1;
  }

  const stop = watchSignals();
  try {
    const outcomes = await provideBackends({
      chosen,
      env,
      signal: stop.signal,
      progress: process.stderr,
      onOutcome: show,
    });
    if (json) process.stdout.write(describeOutcomes(outcomes, env));
    const stoppedBy = stop.stoppedBy();
    if (stoppedBy !== undefined) return stopCodes[stoppedBy];
    return outcomes.every((outcome) => outcome.state === 'present' || outcome.state === 'built') ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotBuild)) throw error;
    if (json) process.stdout.write(`${JSON.stringify({ error: error.message })}\n`);
    else process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    stop.end();
  }
}

/** Ctrl-C ends the build in order: the compiler first, then the half-built files, then this program. */
function watchSignals(): { signal: AbortSignal; stoppedBy(): StopSignal | undefined; end(): void } {
  const controller = new AbortController();
  let first: StopSignal | undefined;
  const onSignal = (name: StopSignal): void => {
    first ??= name;
    controller.abort();
  };
  const names: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stoppedBy: () => first,
    end: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

function sentence(outcome: Outcome): string {
  const { name, version } = outcome.backend;
  const what = `  ${name.padEnd(15)} ${version.padEnd(8)}`;
  switch (outcome.state) {
    case 'present':
      return `${what} ${size(outcome.bytes)}  ${outcome.path}`;
    case 'built':
      return `${what} ${size(outcome.bytes)}  ${outcome.path}  (built in ${minutes(outcome.seconds * 1000)})`;
    case 'missing':
      return `${what} not installed`;
    case 'stopped':
      return `${what} stopped; nothing half-built is kept`;
    case 'failed':
      return `${what} FAILED: ${outcome.reason}`;
  }
}

function size(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`.padStart(6);
}

process.exitCode = await run(process.argv.slice(2));
