import { Command, CommanderError } from 'commander';

import { printable, refusal } from '#kit';

import { createOutput, type Output, renderError, type Streams } from './output.ts';
import { addCall } from './usage/call.ts';
import { addConfig } from './usage/config.ts';
import { addDoctor } from './usage/doctor.ts';
import { addDown } from './usage/down.ts';
import { addEvents } from './usage/events.ts';
import { addFault } from './usage/fault.ts';
import { addCert } from './usage/cert.ts';
import { addIntentions } from './usage/intentions.ts';
import { addLogs } from './usage/logs.ts';
import { addMigrate } from './usage/migrate.ts';
import { addNew } from './usage/new.ts';
import { addPolicy } from './usage/policy.ts';
import { addPs } from './usage/ps.ts';
import { addSaga } from './usage/saga.ts';
import { addScale } from './usage/scale.ts';
import { addServe } from './usage/serve.ts';
import { addToken } from './usage/token.ts';
import { addTrace } from './usage/trace.ts';
import { addUp } from './usage/up.ts';
import type { Usage } from './usage/usage.ts';
import { addWhy } from './usage/why.ts';
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

/** The commands, in the order in which `mesh --help` lists them. */
const COMMANDS: readonly ((usage: Usage) => void)[] = [
  addUp,
  addServe,
  addCall,
  addToken,
  addDown,
  addPs,
  addScale,
  addDoctor,
  addSaga,
  addEvents,
  addPolicy,
  addFault,
  addCert,
  addIntentions,
  addWhy,
  addTrace,
  addLogs,
  addMigrate,
  addConfig,
  addNew,
];

/** Each command loads its code when it runs: `mesh call` need not know how to supervise. */
function program(output: Output, { stdout, stderr }: Streams, finish: (exitCode: number) => void): Command {
  const mesh = new Command('mesh')
    .description('An online shop as a proxyless gRPC service mesh: run it, call it, look inside.')
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => void stdout.write(text), writeErr: (text) => void (output.json || stderr.write(text)) })
    .option('--json', 'answer for programs: one JSON document a line');
  const command = (usage: string, description: string): Command =>
    mesh.command(usage).description(description).exitOverride().showHelpAfterError('(add --help for the options)');
  const warn = (line: string): void => void stderr.write(`${output.json ? JSON.stringify({ warning: line }) : printable(line)}\n`);
  for (const add of COMMANDS) add({ command, output, warn, finish });
  return mesh;
}
