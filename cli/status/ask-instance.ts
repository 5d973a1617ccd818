import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Channel, credentials } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';

import type { Instance } from '#discovery';
import { silentLog, systemClock } from '#kit';
import { createMesh } from '#mesh';
import { type GetInstanceResponse, InstanceService, type MethodCalls } from '#proto/mesh/v1/instance_pb.js';

import { type RuntimeFacts, runtimeFacts } from './runtime-facts.ts';

/** Long for a process that is well, even a busy one; nobody waits longer for one that is not. */
const DEADLINE_MS = 1_000;

/** What an instance says of itself and of the process it runs in. */
export interface InstanceFacts extends CallFigures, RuntimeFacts {
  readonly pid: number;
  /** When the process started, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** Resident memory of the process. */
  readonly memoryBytes: number;
  readonly methods: readonly (CallFigures & { readonly method: string })[];
}

/** Calls since the process started, those that failed by a fault of the service, and the rates of the last 10 s. */
export interface CallFigures {
  readonly calls: number;
  readonly errors: number;
  readonly callsPerSecond: number;
  readonly errorsPerSecond: number;
}

/**
 * Asks an instance itself, at the address it is registered under and not through the
 * registry. Undefined when it does not answer in time, or when another one does: a killed
 * process stays registered for a while, and a new one may have taken its port.
 */
export async function askInstance({ id, address, port }: Instance): Promise<InstanceFacts | undefined> {
  const target = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const openChannel = () => new Channel(target, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
  try {
    // No provider stands behind this tracer: looking leaves no trace.
    const instance = mesh.client(InstanceService, { tracer: trace.getTracer('mesh') });
    const said = await instance.getInstance({}, { deadlineMs: DEADLINE_MS });
    return said.instanceId === id ? factsOf(said) : undefined;
  } catch {
    return undefined;
  } finally {
    await mesh.stop();
  }
}

function factsOf(said: GetInstanceResponse): InstanceFacts {
  const { processId, startTime, memoryBytes, methods } = said;
  const figures = methods.map((entry) => ({ method: entry.method, ...figuresOf(entry) }));
  const total = (pick: (of: CallFigures) => number): number => figures.reduce((sum, of) => sum + pick(of), 0);
  return {
    pid: Number(processId),
    startedAt: startTime ? timestampMs(startTime) : systemClock.now(),
    memoryBytes: Number(memoryBytes),
    calls: total(({ calls }) => calls),
    errors: total(({ errors }) => errors),
    callsPerSecond: inTenths(total(({ callsPerSecond }) => callsPerSecond)),
    errorsPerSecond: inTenths(total(({ errorsPerSecond }) => errorsPerSecond)),
    methods: figures,
    ...runtimeFacts(said),
  };
}

/** Calls in 10 s, for each second, are whole tenths; their sum as a binary fraction is not. */
function inTenths(perSecond: number): number {
  return Math.round(perSecond * 10) / 10;
}

function figuresOf({ calls, errors, callsPerSecond, errorsPerSecond }: MethodCalls): CallFigures {
  return { calls: Number(calls), errors: Number(errors), callsPerSecond, errorsPerSecond };
}
