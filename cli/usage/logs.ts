import { InvalidArgumentError, Option } from 'commander';

import { parseDurationMs, systemClock } from '#kit';

import type { Level } from '../logs/log-line.ts';
import type { Usage } from './usage.ts';

interface Options {
  readonly trace?: string;
  readonly level?: Level;
  /** Milliseconds. */
  readonly since?: number;
  readonly lines?: number;
  readonly follow?: boolean;
}

const DEFAULT_LINES = 100;
const MAX_LINES = 100_000;

export function addLogs({ command, output, warn, finish }: Usage): void {
  command('logs [service]', 'show what the processes of the shop in this folder have written, by time')
    .option('--trace <id>', 'only what was written in this trace', readTraceId)
    .option('-f, --follow', 'go on as lines come, until Ctrl-C')
    .addOption(new Option('--level <level>', 'only this and more severe').choices(['trace', 'debug', 'info', 'warn', 'error', 'fatal']))
    .option('--since <time>', 'only of the last 500ms, 10m, 2h …', readDuration)
    .option('-n, --lines <number>', `only the last ones, up to ${MAX_LINES} (default: ${DEFAULT_LINES}, or as many as that with --trace or --since)`, readLines)
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, options: Options) => {
      const { logsCommand } = await import('../commands/logs.ts');
      const { trace: traceId, level, since, follow = false } = options;
      const isNarrow = traceId !== undefined || since !== undefined;
      const lines = options.lines ?? (isNarrow ? MAX_LINES : DEFAULT_LINES);
      const sinceMs = since === undefined ? undefined : systemClock.now() - since;
      finish(await logsCommand({ name, traceId, level, sinceMs, lines, wantsAll: options.lines === undefined && isNarrow, follow }, output, warn));
    });
}

function readTraceId(value: string): string {
  if (/^[0-9a-f]{32}$/i.test(value)) return value.toLowerCase();
  throw new InvalidArgumentError('A trace id has 32 hexadecimal digits.');
}

function readDuration(value: string): number {
  try {
    return parseDurationMs(value);
  } catch (thrown) {
    throw new InvalidArgumentError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function readLines(value: string): number {
  if (/^\d{1,6}$/.test(value) && Number(value) <= MAX_LINES) return Number(value);
  throw new InvalidArgumentError(`It is a number from 0 to ${MAX_LINES}.`);
}

const EXAMPLES = `
Examples:
  mesh logs                           the last ${DEFAULT_LINES} lines of all services
  mesh logs order --follow            what order writes, as it comes
  mesh logs --trace cc7d2427…         what was written in the trace that mesh trace shows
  mesh logs --level warn --since 10m  what went wrong lately
  mesh logs mesh                      what the supervisor and its stand-ins have written
A name may also be that of one process, such as inventory-2. A line that is not structured, such as a crash, is shown
as it is, under the name of its file. One answer has at most ${MAX_LINES} lines and 64 MB; standard error says when older ones
are left out.`;
