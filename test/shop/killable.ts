import { readFileSync, unlinkSync } from 'node:fs';

import { MeshError } from '#kit';
import type { ClientInterceptor, ServerInterceptor } from '#mesh';

import { serveCommand } from '../../cli/commands/serve.ts';
import { createOutput } from '../../cli/output.ts';
import type { ProcessHooks } from '../../cli/serving/serve.ts';

/**
 * Runs services like `mesh serve`, with kill points composed in. The file that
 * KILL_FILE names holds the point to die at, such as `saga.after charge`; it is removed
 * first, so that whoever goes on does not die too.
 */
const KILL_FILE = process.env['KILL_FILE'] ?? '';

function point(name: string): void {
  if (armed() !== name) return;
  unlinkSync(KILL_FILE);
  process.kill(process.pid, 'SIGKILL');
}

function armed(): string | undefined {
  try {
    return readFileSync(KILL_FILE, 'utf8');
  } catch {
    return undefined;
  }
}

const client: ClientInterceptor = (next) => async (call) => {
  point(`send ${call.method.desc.name}`);
  const reply = await next(call);
  point(`receive ${call.method.desc.name}`);
  return reply;
};

const server: ServerInterceptor = (next) => async (call) => {
  point(`serve ${call.method.desc.name}`);
  const reply = await next(call);
  point(`answer ${call.method.desc.name}`);
  return reply;
};

const hooks: ProcessHooks = {
  database: {
    beforeCommit: (name) => point(`before commit ${name}`),
    afterCommit: (name) => point(`after commit ${name}`),
  },
  saga: {
    beforeStep: (_definition, step) => point(`before step ${step}`),
    afterStep: (_definition, step) => point(`after step ${step}`),
  },
  client: [client],
  server: [server],
};

const [, , , ...args] = process.argv;
try {
  await serveCommand(
    args.filter((arg) => !arg.startsWith('--')),
    createOutput(false),
    { supervised: true, hooks },
  );
  process.exit(0);
} catch (thrown) {
  process.stderr.write(`${MeshError.from(thrown).stack}\n`);
  process.exit(1);
}
