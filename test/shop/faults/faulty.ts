import { appendFileSync } from 'node:fs';

import { trace } from '@opentelemetry/api';

import { MeshError, refusal } from '#kit';
import { type ClientInterceptor, firstText, type ServerCall, type ServerInterceptor } from '#mesh';

import { serveCommand } from '../../../cli/commands/serve.ts';
import { createOutput } from '../../../cli/output.ts';
import type { ProcessHooks } from '../../../cli/serving/serve.ts';
import { type FaultAction, meetFault } from './fault.ts';
import { onGatewayRequests } from './gateway-requests.ts';
import { eventPoints } from './event-points.ts';
import { GUARDS } from './guards.ts';

/**
 * Runs services like `mesh serve`, with faults composed in: those laid down in the folder
 * that FAULT_DIR names. Points: `send X`, `receive X` (caller of method X), `serve X`,
 * `answer X` (callee), `before|after step S`, `before|after compensation S`, `before|after record S` (saga),
 * `before|after commit T` (transaction or statement T), `send|receive gateway R` (request R
 * to the card company), `before|after publish`, `before|after deliver E`, `after effect E`
 * (event E); and each of them with the names of the process's services ahead, as `payment: after publish`. FAULT_SURVEY names a file for the names of those that were passed; FAULT_GUARDS_OFF
 * the guards that are switched off, see guards.ts.
 */
const FOLDER = process.env['FAULT_DIR'] ?? '';
const services = process.argv.slice(3).filter((arg) => !arg.startsWith('--'));
const SURVEY = process.env['FAULT_SURVEY'] ?? '';
const passed = new Set<string>();

/** Writes each name down once. */
function note(name: string): void {
  if (!SURVEY || passed.has(name)) return;
  passed.add(name);
  appendFileSync(SURVEY, `${JSON.stringify({ services, point: name })}\n`);
}

/** Dies or stands still here if it is to; the other troubles are for calls. */
function point(name: string, traceId = trace.getActiveSpan()?.spanContext().traceId): FaultAction | undefined {
  note(name);
  const action = meetFault(FOLDER, traceId, name) ?? meetFault(FOLDER, undefined, `${services.join(' ')}: ${name}`);
  if (action?.kind === 'kill') process.kill(process.pid, 'SIGKILL');
  // All of the process waits, as one does that gets no time.
  if (action?.kind === 'stall') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, action.ms);
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
    beforeRecord: ({ step }) => void point(`before record ${step}`),
    afterRecord: ({ step }) => void point(`after record ${step}`),
    ...GUARDS.saga,
  },
  events: { ...eventPoints((name, traceId) => void point(name, traceId)), ...GUARDS.events },
  ...(GUARDS.idempotency && { idempotency: GUARDS.idempotency }),
  client: [client],
  server: [server],
};

// So that triggers can tell the processes of a service apart: https://www.postgresql.org/docs/current/libpq-envars.html.
process.env['PGOPTIONS'] = `-c chaos.process=${process.pid}`;
onGatewayRequests((name) => void point(name));
try {
  await serveCommand(
    services,
    createOutput(false),
    { supervised: true, hooks },
  );
  process.exit(0);
} catch (thrown) {
  process.stderr.write(`${MeshError.from(thrown).stack}\n`);
  process.exit(1);
}
