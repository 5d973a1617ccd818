import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Channel, type ChannelCredentials } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';

import type { Instance } from '#discovery';
import { MeshError, silentLog, systemClock } from '#kit';
import { createMesh } from '#mesh';
import { type GetInstanceResponse, InstanceService, type MethodCalls } from '#proto/mesh/v1/instance_pb.js';

import { OPERATOR } from '../caller-names.ts';
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
 * process stays registered for a while, and a new one may have taken its port. Fails when it
 * answers that it lets the one who asks not in.
 */
export async function askInstance({ id, service, address, port }: Instance, credentials: ChannelCredentials): Promise<InstanceFacts | undefined> {
  const target = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  // An IP address is no name to ask for in TLS (RFC 6066, section 3).
  const options = { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': service };
  const openChannel = () => new Channel(target, credentials, options);
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
  try {
    // No provider stands behind this tracer: looking leaves no trace.
    const instance = mesh.client(InstanceService, { tracer: trace.getTracer('mesh'), service: OPERATOR });
    const said = await instance.getInstance({}, { deadlineMs: DEADLINE_MS });
    return said.instanceId === id ? factsOf(said) : undefined;
  } catch (thrown) {
    const { code } = MeshError.from(thrown);
    if (code === 'PERMISSION_DENIED' || code === 'UNAUTHENTICATED') throw thrown;
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
