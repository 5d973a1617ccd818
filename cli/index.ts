import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import { refusal } from '#kit';

import { createOutput, type Output, renderError, type Streams } from './output.ts';
import { VERSION } from './version.ts';

/** Runs the `mesh` command and ends the process with its exit code. The only place that does. */
export async function run(args: readonly string[]): Promise<void> {
  process.exit(await execute(args));
}

/** The `mesh` command: resolves with its exit code, which is 0 for done, 1 for failed, 2 for misused, 130 for interrupted. */
export async function execute(args: readonly string[], streams: Streams = process): Promise<number> {
  const json = args.includes('--json');
  const result = { exitCode: 0 };
  try {
    await program(createOutput(json, streams), streams, (exitCode) => (result.exitCode = exitCode)).parseAsync(args, { from: 'user' });
    return result.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return misused(thrown, json, streams);
    streams.stderr.write(`${renderError(thrown, json)}\n`);
    return 1;
  } finally {
    // What is still on its way to a slow reader would be lost with the process.
    await new Promise((resolve) => streams.stdout.write('', resolve));
  }
}

/** commander has told people by itself. */
function misused({ exitCode, message }: CommanderError, json: boolean, { stderr }: Streams): number {
  if (exitCode === 0) return 0;
  if (json) stderr.write(`${renderError(refusal('INVALID_ARGUMENT', message.replace(/^error: /, '')), json)}\n`);
  return 2;
}

type Finish = (exitCode: number) => void;

/** Each command loads its code when it runs: `mesh call` need not know how to supervise. */
function program(output: Output, { stdout, stderr }: Streams, finish: Finish): Command {
  const mesh = new Command('mesh')
    .description('An online shop as a proxyless gRPC service mesh: run it, call it, look inside.')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => void stdout.write(text), writeErr: (text) => void (output.json || stderr.write(text)) })
    .option('--json', 'answer for programs: one JSON document a line');
  const command: AddCommand = (usage, description) => mesh.command(usage).description(description).exitOverride().showHelpAfterError('(add --help for the options)');
  addUp(command, output, finish);
  addServe(command, output);
  addCall(command, output, finish);
  command('down', 'stop the shop that `mesh up` started from this folder').action(async () => {
    const { downCommand } = await import('./commands/down.ts');
    await downCommand(output);
  });
  command('ps', 'list every registered instance and its health').action(async () => {
    const { psCommand } = await import('./commands/ps.ts');
    await psCommand(output);
  });
  command('migrate', 'bring the tables of every service up to date').action(async () => {
    const { migrateCommand } = await import('./commands/migrate.ts');
    await migrateCommand(output);
  });
  command('config', 'show every setting, its value here and where that comes from').action(async () => {
    const { configCommand } = await import('./commands/config.ts');
    await configCommand(output);
  });
  return mesh;
}

type AddCommand = (usage: string, description: string) => Command;

function addUp(command: AddCommand, output: Output, finish: Finish): void {
  command('up', 'start the shop and whatever it stands on; Ctrl-C stops it')
    .addOption(new Option('--topology <name>', 'one process for each service, or one for all').choices(['micro', 'monolith']))
    .option('--detach', 'return when everything is ready and leave it running')
    .option('--demo', 'write demo data where they are missing and place a sample order')
    .addOption(new Option('--detached').hideHelp())
    .addHelpText('after', EXAMPLES_UP)
    .action(async (options: { topology?: string; detach?: boolean; demo?: boolean; detached?: boolean }) => {
      const { upCommand } = await import('./commands/up.ts');
      finish(await upCommand({ ...options, flags: { MESH_TOPOLOGY: options.topology } }, output));
    });
}

function addServe(command: AddCommand, output: Output): void {
  command('serve <service...>', 'run these services in this process; beside a running shop, as further instances of its')
    .option('--port <number>', 'port of the service, when it is only one; 0 takes a free one', readPort)
    .addOption(new Option('--supervised').hideHelp())
    .addHelpText('after', EXAMPLES_SERVE)
    .action(async (services: string[], { port, supervised }: { port?: string; supervised?: boolean }) => {
      const { serveCommand } = await import('./commands/serve.ts');
      await serveCommand(services, output, { ...(supervised && { supervised }), ...(port !== undefined && { port }) });
    });
}

function addCall(command: AddCommand, output: Output, finish: Finish): void {
  command('call <method> [request]', 'call any method of any service; the request is JSON, @file, or - for standard input')
    .option('-H, --header <key:value>', 'send a header; may be given more than once', (value: string, all: string[]) => [...all, value], [])
    .option('--deadline <time>', 'how long the call may take, such as 500ms or 2s', '15s')
    .addHelpText('after', EXAMPLES_CALL)
    .action(async (method: string, request: string | undefined, options: { header: string[]; deadline: string }) => {
      const { callCommand } = await import('./commands/call.ts');
      finish(await callCommand(method, request, options, output));
    });
}

function readPort(value: string): string {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return value;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

const EXAMPLES_UP = `
Examples:
  mesh up                        one process for each service
  mesh up --topology monolith    one process for all of them
  mesh up --detach && mesh ps    leave it running, and look at it`;

const EXAMPLES_SERVE = `
Examples:
  mesh serve inventory           a further instance beside a running shop takes a free port
  mesh serve order payment       two services in one process
Where no shop runs in this folder, the settings say what to stand on: CONSUL_HTTP_ADDR, DATABASE_URL, … (see mesh config).`;

const EXAMPLES_CALL = `
Examples:
  mesh call order.ListOrders '{"userId":"demo"}'
  mesh call inventory.GetStock '{"productId":"grinder"}' --deadline 500ms
  mesh call order.WatchOrder '{"orderId":"…"}'    a stream prints one JSON document a line`;
