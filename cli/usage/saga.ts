import { InvalidArgumentError, Option } from 'commander';

import type { Usage } from './usage.ts';

const MAX_LIMIT = 200;

const STATES = ['running', 'compensating', 'completed', 'failed', 'stuck'] as const;

export function addSaga({ command, output }: Usage): void {
  const saga = command('saga', 'see the sagas that bring orders to their end, and free those that are stuck').addHelpText('after', EXAMPLES);
  saga
    .command('list')
    .description('list sagas, newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .option('--order <id>', 'only those of this order')
    .option('--limit <n>', `at most so many, up to ${MAX_LIMIT}`, readLimit, 50)
    .action(async (options: { state?: string; order?: string; limit: number }) => {
      const { listSagasCommand } = await import('../commands/saga.ts');
      await listSagasCommand(options, output);
    });
  saga
    .command('show <saga>')
    .description('show where a saga stands, what it has done, with times, tries, errors and traces, and what operators did to it')
    .action(async (sagaId: string) => {
      const { showSagaCommand } = await import('../commands/saga.ts');
      await showSagaCommand(sagaId, output);
    });
  for (const [name, description] of [
    ['retry', 'try the step at which a stuck saga stands again'],
    ['resolve', 'take the step at which a stuck saga stands as done by hand, and go on behind it'],
    ['skip', 'go on behind the step at which a stuck saga stands, without doing it'],
  ] as const) {
    const one = saga
      .command(`${name} <saga>`)
      .description(description)
      .requiredOption('--why <reason>', 'why, for whoever reads it later, such as a ticket')
      .option('--by <name>', 'who does it; default: the user of this machine')
      .action(async (sagaId: string, options: { why: string; by?: string; step?: string }) => {
        const { interveneCommand } = await import('../commands/saga.ts');
        await interveneCommand(name, sagaId, options, output);
      });
    if (name !== 'retry') one.requiredOption('--step <name>', `the step to ${name}; it must still be the one the saga stands at`);
  }
}

function readLimit(value: string): number {
  if (/^\d{1,3}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_LIMIT) return Number(value);
  throw new InvalidArgumentError(`It is a number from 1 to ${MAX_LIMIT}.`);
}

const EXAMPLES = `
Examples:
  mesh saga list --state stuck                       what needs a hand
  mesh saga show 01a201e5-d91f-7618-bbd6-df42573bcf26
  mesh saga retry 01a201e5-… --why "bank is back"    the refused step is tried again
  mesh saga resolve 01a201e5-… --step charge --why "refunded by hand, ticket 42"
  mesh saga skip 01a201e5-… --step charge --why "the buyer keeps the credit, ticket 42"
The saga that places an order has the order's id.
resolve and skip are believed, not checked, and no mail tells the buyer of money that you keep or pay back by hand.`;
