import { type Command, InvalidArgumentError } from 'commander';

import type { IntentionFilter, SetIntentionOptions } from '../commands/intentions.ts';
import type { Usage } from './usage.ts';

export function addIntentions({ command, output, warn }: Usage): void {
  const intentions = command('intentions', 'see and change, while the shop runs, which service may call which').addHelpText('after', EXAMPLES);
  intentions
    .command('list')
    .description('list them, the strongest first')
    .option('--source <service>', 'only those of this source')
    .option('--destination <service>', 'only those of this destination')
    .action(async (filter: IntentionFilter) => {
      const { listIntentionsCommand } = await import('../commands/intentions.ts');
      await listIntentionsCommand(filter, output);
    });
  for (const action of ['allow', 'deny'] as const) {
    withPermission(intentions.command(`${action} <source> <destination>`))
      .description(`${action} the calls of a service, or of *, to a service, to one of its methods, or to *`)
      .action(async (source: string, destination: string, options: SetIntentionOptions) => {
        const { setIntentionCommand } = await import('../commands/intentions.ts');
        await setIntentionCommand(action, source, destination, options, output, warn);
      });
  }
  intentions
    .command('delete <source> <destination>')
    .description('take an intention back')
    .option('--permission <n>', 'only its nth permission', readPosition)
    .action(async (source: string, destination: string, options: { permission?: number }) => {
      const { deleteIntentionCommand } = await import('../commands/intentions.ts');
      await deleteIntentionCommand(source, destination, options.permission, output);
    });
  intentions
    .command('report')
    .description('who calls without a certificate, and whom intentions refused, as the instances have counted since they started')
    .option('--destination <service>', 'only calls to this service')
    .action(async ({ destination }: { destination?: string }) => {
      const { intentionsReportCommand } = await import('../commands/intentions-report.ts');
      await intentionsReportCommand(destination, output, warn);
    });
}

function withPermission(command: Command): Command {
  return command
    .option('--path <path>', 'only calls with this path, such as /shop.payment.v1.PaymentService/Refund; <service>.<method> says the same')
    .option('--path-prefix <prefix>', 'only calls whose path begins so')
    .option('--path-regex <pattern>', 'only calls whose whole path fits this pattern of RE2')
    .option('--header <condition>', 'only calls with this header: x-role=staff; may be given several times', collect, [])
    .option('--ignore-case', 'whatever the case of the header\'s value', false)
    .option('--description <text>', 'why, for whoever reads it later')
    .option('--replace', 'in place of all that the intention says now', false);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function readPosition(value: string): number {
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It is a number from 1, as `mesh intentions list` shows it.');
}

const EXAMPLES = `
Examples:
  mesh intentions allow order payment --description "charges and refunds"
  mesh intentions deny '*' payment
  mesh intentions deny order payment.Refund
  mesh intentions allow order payment --path-prefix /shop.payment.v1.PaymentService/ --header x-region=eu
  mesh intentions delete order payment
  mesh intentions report              before MESH_MTLS=permissive becomes strict: who would be shut out
Of those that fit a call the strongest decides: one for exactly these two services, then one from *, then one to *.
Within it the first permission that fits decides, and the default of the control plane where none does. A denial is put
before the other permissions. Headers: x-role (is there), x-role=staff, ^= begins, $= ends, *= contains, ~= fits a
pattern, and ! in front for the opposite. See what decides with \`mesh why\`.`;
