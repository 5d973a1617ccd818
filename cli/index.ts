import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import { MeshError } from '#kit';

import { createOutput, type Output, renderError } from './output.ts';
import { VERSION } from './version.ts';


/** Runs the `mesh` command and sets the exit code: 0 done, 1 failed, 2 misused. The only place that ends the process. */
export async function run(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  try {
    await program(createOutput(json)).parseAsync(args, { from: 'user' });
    process.exit(0);
  } catch (thrown) {
    // commander has printed its own message.
    if (thrown instanceof CommanderError) process.exit(thrown.exitCode === 0 ? 0 : 2);
    await tellStarterOf(thrown);
    process.stderr.write(`${renderError(thrown, json)}\n`);
    process.exit(1);
  }
}

async function tellStarterOf(thrown: unknown): Promise<void> {
  if (!process.connected) return;
  const { tellStarter } = await import('./local/detach.ts');
  const { reason, message } = MeshError.from(thrown);
  tellStarter({ kind: 'failed', reason, message });
}

/** Each command loads its code when it runs: `mesh call` need not know how to supervise. */
function program(output: Output): Command {
  const mesh = new Command('mesh')
    .description('An online shop as a proxyless gRPC service mesh: run it, call it, look inside.')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .option('--json', 'answer for programs: one JSON document a line');
  const command = (usage: string, description: string): Command => mesh.command(usage).description(description).exitOverride().showHelpAfterError('(add --help for the options)');

  command('up', 'start the shop and whatever it stands on; Ctrl-C stops it')
    .addOption(new Option('--topology <name>', 'one process for each service, or one for all').choices(['micro', 'monolith']))
    .option('--detach', 'return when everything is ready and leave it running')
    .option('--demo', 'write demo data where they are missing and place a sample order')
    .addHelpText('after', EXAMPLES_UP)
    .action(async (options: { topology?: string; detach?: boolean; demo?: boolean }) => {
      const { upCommand } = await import('./commands/up.ts');
      await upCommand({ ...options, flags: { MESH_TOPOLOGY: options.topology } }, output);
    });
  command('down', 'stop the shop that `mesh up` started from this folder').action(async () => {
    const { downCommand } = await import('./commands/down.ts');
    await downCommand(output);
  });
  command('ps', 'list every registered instance and its health').action(async () => {
    const { psCommand } = await import('./commands/ps.ts');
    await psCommand(output);
  });
  addServe(command, output);
  command('migrate', 'bring the tables of every service up to date').action(async () => {
    const { migrateCommand } = await import('./commands/migrate.ts');
    await migrateCommand(output);
  });
  addCall(command, output);
  command('config', 'show every setting, its value here and where that comes from').action(async () => {
    const { configCommand } = await import('./commands/config.ts');
    await configCommand(output);
  });
  return mesh;
}

type AddCommand = (usage: string, description: string) => Command;

function addServe(command: AddCommand, output: Output): void {
  command('serve <service...>', 'run these services in this process, against a given Consul and database')
    .option('--port <number>', 'port of the service, when it is only one; 0 takes a free one', readPort)
    .addOption(new Option('--supervised').hideHelp())
    .addHelpText('after', EXAMPLES_SERVE)
    .action(async (services: string[], options: { port?: string; supervised?: boolean }) => {
      const { serveCommand } = await import('./commands/serve.ts');
      const flags = options.port !== undefined && services.length === 1 ? { [`MESH_PORT_${services[0]?.toUpperCase()}`]: options.port } : {};
      await serveCommand(services, output, { ...options, flags });
    });
}

function addCall(command: AddCommand, output: Output): void {
  command('call <method> [request]', 'call any method of any service; the request is JSON, @file, or - for standard input')
    .option('-H, --header <key:value>', 'send a header; may be given more than once', (value: string, all: string[]) => [...all, value], [])
    .option('--deadline <time>', 'how long the call may take, such as 500ms or 2s', '15s')
    .addHelpText('after', EXAMPLES_CALL)
    .action(async (method: string, request: string | undefined, options: { header: string[]; deadline: string }) => {
      const { callCommand } = await import('./commands/call.ts');
      await callCommand(method, request, options, output);
    });
}

function readPort(value: string): string {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return value;
  throw new InvalidArgumentError('a port is a number from 0 to 65535');
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
Settings come from the environment: CONSUL_HTTP_ADDR, DATABASE_URL, … (see mesh config).`;

const EXAMPLES_CALL = `
Examples:
  mesh call order.ListOrders '{"userId":"demo"}'
  mesh call inventory.GetStock '{"productId":"grinder"}' --deadline 500ms
  mesh call order.WatchOrder '{"orderId":"…"}'    a stream prints one JSON document a line`;
