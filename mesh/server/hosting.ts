import type { DescService } from '@bufbuild/protobuf';
import type { Tracer } from '@opentelemetry/api';

import type { Clock, Log, Stoppable } from '#kit';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import type { Invoke, ServerCall, ServerInterceptor } from '../call.ts';
import { compose } from '../chain.ts';
import { describeMethod, type Method, serviceName } from '../method.ts';
import { type CallTally, createCallTally } from './call-tally.ts';
import { serverDeadline } from './deadline.ts';
import { logFaults } from './errors.ts';
import { addChains, bind, createGrpcServer, shutDown } from './grpc-server.ts';
import type { Handlers } from './handlers.ts';
import { createHealth } from './health.ts';
import { type Implementation, implement } from './implementation.ts';
import { instanceHandlers, type InstanceName } from './instance.ts';
import { serverOutcome } from './outcome.ts';
import { addReflection } from './reflection.ts';
import { serverTracing } from './tracing.ts';
import { serverValidation } from './validation.ts';

/** One service as a process hosts it. */
export interface Hosted<S extends DescService> {
  /** Its main contract. */
  readonly contract: S;
  readonly handlers: Handlers<S>;
  /** Further contracts on the same port, such as one for operators. They are as healthy as the service is. */
  readonly further?: readonly Implementation[];
  /** How it is registered; left out where it is in no registry. */
  readonly instance?: InstanceName;
  readonly tracer: Tracer;
  readonly log: Log;
  /** Rejects when the service cannot do its work. Shown as NOT_SERVING. */
  readonly check: () => Promise<void>;
}

/** A hosted service that listens. */
export interface Listening extends Stoppable {
  readonly port: number;
  /** Answers NOT_SERVING from now on, and goes on serving. */
  drain(): void;
  /** Lets calls in flight finish, at most a few seconds, then closes the port. */
  stop(): Promise<void>;
}

/** What the services of a process share. */
export interface HostOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Innermost interceptors of every method. */
  readonly interceptors: readonly ServerInterceptor[];
}

/** The server chain of each method. */
export type Chains = ReadonlyMap<Method, Invoke<ServerCall>>;

/** How long calls in flight may take once their server stops. */
const STOP_GRACE_MS = 5_000;

/** Composes the chains of a service's methods, for callers in this process, and listens with them for others. */
export function hostService<S extends DescService>(
  service: Hosted<S>,
  options: HostOptions,
): { readonly chains: Chains; listen(address: string, port: number): Promise<Listening> } {
  const implementations = [implement(service.contract, service.handlers), ...(service.further ?? [])];
  const tallies = new Map<string, CallTally>();
  const interceptorsOf = (method: Method): readonly ServerInterceptor[] => {
    const tally = createCallTally(options.clock);
    tallies.set(method.fullName, tally);
    return serverInterceptors(service, options, method, tally);
  };
  const chains = new Map(implementations.flatMap((part) => [...chainsOf(part, interceptorsOf)]));
  const contracts = implementations.map(({ contract }) => contract);
  const instance = instanceHandlers(serviceName(service.contract), service.instance ?? { id: '', version: '' }, tallies);
  const door: Door = { contracts, chains, check: service.check, instance };
  return { chains, listen: (address, port) => listen(door, options, address, port) };
}

/** What a port answers for. */
interface Door {
  readonly contracts: readonly DescService[];
  readonly chains: Chains;
  readonly check: () => Promise<void>;
  readonly instance: Handlers<typeof InstanceService>;
}

async function listen({ contracts, chains, check, instance }: Door, { clock, log }: HostOptions, address: string, port: number): Promise<Listening> {
  const grpc = createGrpcServer();
  const health = createHealth(contracts.map(({ typeName }) => typeName), check, clock);
  // What is asked all the time runs without spans and validation, and is not counted.
  const plain = [serverOutcome(logFaults(log)), serverDeadline(clock)];
  addChains(grpc, chains);
  for (const part of [implement(Health, health.handlers), implement(InstanceService, instance)]) addChains(grpc, chainsOf(part, () => plain));
  addReflection(grpc.server, [...contracts, Health, InstanceService]);
  const bound = await bind(grpc, address, port);
  return { port: bound, drain: health.drain, stop: () => shutDown(grpc, STOP_GRACE_MS) };
}

function chainsOf({ contract, linkOf }: Implementation, interceptorsOf: (method: Method) => readonly ServerInterceptor[]): Chains {
  return new Map(contract.methods.map(describeMethod).map((method) => [method, compose(interceptorsOf(method), linkOf(method))]));
}

/** What each call passes, outside in: the outcome's log and count, tracing, deadline, validation, what the process adds. The handler follows. */
function serverInterceptors<S extends DescService>(
  { log, tracer }: Hosted<S>,
  { clock, interceptors }: HostOptions,
  method: Method,
  { count }: CallTally,
): readonly ServerInterceptor[] {
  return [serverOutcome(logFaults(log), count), serverTracing(tracer, method), serverDeadline(clock), serverValidation, ...interceptors];
}
