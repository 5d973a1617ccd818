import { InvalidArgumentError, Option } from 'commander';

import { CODES, parseDurationMs } from '#kit';

import type { Usage } from './usage.ts';

const MAX_DELAY_MS = 60_000;
const MAX_FOR_MS = 24 * 3_600_000;

export function addFault({ command, output, warn }: Usage): void {
  const fault = command('fault <target>', 'make calls of a service or method wait or fail on purpose, for a while')
    .option('--delay <time>', 'let them wait so long, up to 60s', (value) => readTime(value, 1, MAX_DELAY_MS, '60s'))
    .addOption(new Option('--abort <code>', 'let them fail with this gRPC status').choices(CODES.slice(1)))
    .option('--percent <n>', 'only so many of them', readPercent, 100)
    .addOption(new Option('--for <time>', 'how long, up to 24h').argParser((value) => readTime(value, 1_000, MAX_FOR_MS, '24h')).default(300_000, '5m'))
    .option('--reason <text>', 'why, for whoever reads it later')
    .option('--by <name>', 'who orders it; default: the user of this machine')
    .addHelpText('after', EXAMPLES)
    .action(async (target: string, options: { delay?: number; abort?: string; percent: number; for: number; reason?: string; by?: string }) => {
      const { orderFaultCommand } = await import('../commands/fault.ts');
      const { delay: delayMs = 0, abort, percent, for: forMs, reason = '', by } = options;
      await orderFaultCommand(target, { delayMs, abort, percent, forMs, reason, by }, output, warn);
    });
  fault
    .command('list')
    .description('list the faults that are ordered')
    .action(async () => {
      const { listFaultsCommand } = await import('../commands/fault.ts');
      await listFaultsCommand(output);
    });
  fault
    .command('clear [target]')
    .description('end the fault of a target, or all of them')
    .action(async (target: string | undefined) => {
      const { clearFaultsCommand } = await import('../commands/fault.ts');
      await clearFaultsCommand(target, output);
    });
}

function readPercent(value: string): number {
  const percent = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && percent > 0 && percent <= 100) return percent;
  throw new InvalidArgumentError('It is a number above 0, up to 100.');
}

function readTime(value: string, minMs: number, maxMs: number, most: string): number {
  const ms = timeOf(value);
  if (ms >= minMs && ms <= maxMs) return Math.round(ms);
  throw new InvalidArgumentError(`It is a time span such as 2s or 5m, up to ${most}.`);
}

function timeOf(value: string): number {
  try {
    return parseDurationMs(value);
  } catch {
    return Number.NaN;
  }
}

const EXAMPLES = `
Examples:
  mesh fault payment.Charge --delay 2s --abort UNAVAILABLE --percent 30 --for 5m
  mesh fault inventory --delay 200ms            every method of the service
  mesh fault list
  mesh fault clear payment.Charge
Only processes that run with MESH_FAULTS=true do it. There a single call can ask for it itself:
  mesh call payment.GetPayment '{"orderId":"…"}' -H 'mesh-fault: delay=2s;abort=UNAVAILABLE'`;
