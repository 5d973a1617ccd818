import { InvalidArgumentError } from 'commander';

import { parseDurationMs } from '#kit';

import type { Usage } from './usage.ts';

export function addPolicy({ command, output }: Usage): void {
  const policy = command('policy', 'see and change, while the shop runs, how calls are carried out').addHelpText('after', EXAMPLES);
  policy
    .command('show <target>')
    .description('show every number that holds for a service or method, and where it comes from')
    .action(async (target: string) => {
      const { showPolicyCommand } = await import('../commands/policy.ts');
      await showPolicyCommand(target, output);
    });
  policy
    .command('set <target> <document>')
    .description('set some of them; the document is JSON, @file, or - for standard input, and takes the place of the one before it')
    .option('--for <time>', 'how long, such as 30m or 2h; default: until it is deleted', readTime)
    .option('--reason <text>', 'why, for whoever reads it later')
    .option('--by <name>', 'who sets it; default: the owner in the document, else the user of this machine')
    .action(async (target: string, document: string, options: { for?: number; reason?: string; by?: string }) => {
      const { setPolicyCommand } = await import('../commands/policy.ts');
      await setPolicyCommand(target, document, { forMs: options.for, reason: options.reason, by: options.by }, output);
    });
  policy
    .command('list')
    .description('list what is set')
    .action(async () => {
      const { listPoliciesCommand } = await import('../commands/policy.ts');
      await listPoliciesCommand(output);
    });
  policy
    .command('delete <target>')
    .description('take back what is set for a target')
    .action(async (target: string) => {
      const { deletePolicyCommand } = await import('../commands/policy.ts');
      await deletePolicyCommand(target, output);
    });
}

function readTime(value: string): number {
  try {
    const ms = parseDurationMs(value);
    if (ms >= 1_000) return Math.round(ms);
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It is a time span of a second or more, such as 30m or 2h.');
}

const EXAMPLES = `
Examples:
  mesh policy show order.PlaceOrder
  mesh policy set inventory.Reserve '{"retries":{"maxAttempts":5}}' --for 2h --reason "flaky switch"
  mesh policy set '*' '{"hedging":{"enabled":false}}'
  mesh policy delete '*'
A target is a service, service.Method, or * for every service. The nearer word counts, field by field: a method's
document, its service's, that of *, then the same levels of MESH_POLICY, then the defaults.`;
