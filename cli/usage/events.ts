import { Argument, type Command, InvalidArgumentError, Option } from 'commander';

import { whoAmI } from '../who-am-i.ts';
import type { Usage } from './usage.ts';

const MAX_LIMIT = 1_000;

export function addEvents(usage: Usage): void {
  const events = usage.command('events', 'see the events of the shop, how far consumers are behind, and those that they could not take').addHelpText('after', EXAMPLES);
  addLooks(events, usage);
  addDead(events, usage);
  addReplay(events, usage);
  addDiscard(events, usage);
}

function addLooks(events: Command, { output, warn, finish }: Usage): void {
  events
    .command('list')
    .description('list what was published, the newest last')
    .option('--topic <topic>', 'only this one, such as shop.order.v1, or order')
    .option('--subject <id>', 'only those of this subject, such as an order')
    .option('--limit <n>', `the last ones, up to ${MAX_LIMIT}`, readLimit, 50)
    .option('-f, --follow', 'go on as events come, until Ctrl-C')
    .action(async (options: { topic?: string; subject?: string; limit: number; follow?: boolean }) => {
      const { listEventsCommand } = await import('../commands/events.ts');
      finish(await listEventsCommand(options, output, warn));
    });
  events
    .command('lag')
    .description('show what waits: to be published, and to be consumed')
    .action(async () => {
      const { lagCommand } = await import('../commands/events.ts');
      finish(await lagCommand(output, warn));
    });
}

function addDead(events: Command, { output }: Usage): void {
  events
    .command('dead')
    .description('list the events that a consumer has given up, the newest first')
    .addArgument(new Argument('[list]').choices(['list']))
    .option('--group <name>', 'only those of this group of consumers, such as notification')
    .option('--reason <reason>', 'only those given up for this reason, such as EVENT_UNREADABLE')
    .addOption(new Option('--state <state>', 'what has become of them').choices(['dead', 'due', 'replayed', 'discarded']).default('dead'))
    .option('--limit <n>', `at most so many, up to ${MAX_LIMIT}`, readLimit, 50)
    .action(async (_list: string | undefined, { limit, state, ...only }: { group?: string; reason?: string; state: Lowercase<State>; limit: number }) => {
      const { listDeadCommand } = await import('../commands/dead-events.ts');
      // The choices are these names in small letters.
      await listDeadCommand({ ...only, status: state.toUpperCase() as State }, limit, output);
    });
}

type State = 'DEAD' | 'DUE' | 'REPLAYED' | 'DISCARDED';

interface Decision {
  readonly why: string;
  readonly by?: string;
}

function addReplay(events: Command, { output, finish }: Usage): void {
  decision(events.command('replay [id...]').description('hand events that were given up to their consumer again: these, or all that match'))
    .option('--group <name>', 'all of this group of consumers')
    .option('--reason <reason>', 'all that were given up for this reason')
    .action(async (ids: string[], { why, by, ...only }: { group?: string; reason?: string } & Decision, command: Command) => {
      const matching = only.group !== undefined || only.reason !== undefined;
      if (matching === ids.length > 0) command.error('error: name the events by their ids, or all of them by --group or --reason', { exitCode: 2 });
      const { replayMatchingCommand, replayNamedCommand } = await import('../commands/dead-events.ts');
      const settlement = { why, who: by ?? whoAmI() };
      if (matching) await replayMatchingCommand(only, settlement, output);
      else finish(await replayNamedCommand(ids, settlement, output));
    });
}

function addDiscard(events: Command, { output }: Usage): void {
  decision(events.command('discard <id>').description('take an event that was given up off the list, without its effect')).action(async (id: string, { why, by }: Decision) => {
    const { discardCommand } = await import('../commands/dead-events.ts');
    await discardCommand(id, { why, who: by ?? whoAmI() }, output);
  });
}

function decision(command: Command): Command {
  return command.requiredOption('--why <reason>', 'why, for whoever reads it later, such as a ticket').option('--by <name>', 'who does it; default: the user of this machine');
}

function readLimit(value: string): number {
  if (/^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_LIMIT) return Number(value);
  throw new InvalidArgumentError(`It is a number from 1 to ${MAX_LIMIT}.`);
}

const EXAMPLES = `
Examples:
  mesh events list --subject 01a201e5-…    what happened to an order, in its order
  mesh events list --topic payment -f      payments as they happen
  mesh events lag                          who is behind, and by how much
  mesh events dead                         what consumers could not take, with the ids for the two below
  mesh events replay 01a201e5-… --why "mail server is back"
  mesh events replay --group notification --reason EVENT_UNREADABLE --why "mended in 1.4.2"
  mesh events discard 01a201e5-… --why "user is gone"
An event has its effect once, however often it is replayed.`;
