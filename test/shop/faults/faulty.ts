import { trace } from '@opentelemetry/api';

import { MeshError, refusal } from '#kit';
import { type ClientInterceptor, firstText, type ServerCall, type ServerInterceptor } from '#mesh';

import { serveCommand } from '../../../cli/commands/serve.ts';
import { createOutput } from '../../../cli/output.ts';
import type { ProcessHooks } from '../../../cli/serving/serve.ts';
import { type FaultAction, meetFault } from './fault.ts';

/**
 * Runs services like `mesh serve`, with faults composed in: those laid down in the folder
 * that FAULT_DIR names. Points: `send X`, `receive X` (caller of method X), `serve X`,
 * `answer X` (callee), `before|after step S`, `before|after compensation S` (saga),
 * `before|after commit T` (transaction T).
 */
const FOLDER = process.env['FAULT_DIR'] ?? '';

/** Dies here if it is to; the other troubles are for calls. */
function point(name: string, traceId = trace.getActiveSpan()?.spanContext().traceId): FaultAction | undefined {
  const action = meetFault(FOLDER, traceId, name);
  if (action?.kind === 'kill') process.kill(process.pid, 'SIGKILL');
  return action;
}

function traceIdIn(traceparent: string | undefined): string | undefined {
  return traceparent?.split('-')[1];
}

const client: ClientInterceptor = (next) => async (call) => {
  const traceId = traceIdIn(firstText(call.headers['traceparent']));
  point(`send ${call.method.desc.name}`, traceId);
  const reply = await next(call);
  point(`receive ${call.method.desc.name}`, traceId);
  return reply;
};

const server: ServerInterceptor = (next) => async (call) => {
  const traceId = traceIdIn(call.header('traceparent'));
  await suffer(call, point(`serve ${call.method.desc.name}`, traceId));
  const reply = await next(call);
  await suffer(call, point(`answer ${call.method.desc.name}`, traceId));
  return reply;
};

async function suffer({ lifetime: { signal } }: ServerCall, action: FaultAction | undefined): Promise<void> {
  if (action?.kind === 'refuse') throw refusal(action.reason, 'refused by a fault of this test');
  if (action?.kind === 'lose') throw refusal('UNREACHABLE', 'the answer is lost by a fault of this test');
  if (action?.kind !== 'hang') return;
  await new Promise((resolve) => (signal.aborted ? resolve(undefined) : signal.addEventListener('abort', resolve, { once: true })));
  throw signal.reason;
}

const hooks: ProcessHooks = {
  database: {
    beforeCommit: (name) => void point(`before commit ${name}`),
    afterCommit: (name) => void point(`after commit ${name}`),
  },
  saga: {
    beforeStep: ({ step, compensating }) => void point(`before ${compensating ? 'compensation' : 'step'} ${step}`),
    afterStep: ({ step, compensating }) => void point(`after ${compensating ? 'compensation' : 'step'} ${step}`),
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
