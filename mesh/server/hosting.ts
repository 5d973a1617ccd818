import type { DescService } from '@bufbuild/protobuf';
import type { Tracer } from '@opentelemetry/api';

import type { Clock, Log, Random, Stoppable } from '#kit';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import type { Invoke, ServerCall, ServerInterceptor } from '../call.ts';
import type { CalledService } from '../called-service.ts';
import { compose } from '../chain.ts';
import { serverIdempotency } from '../idempotency/server-idempotency.ts';
import type { IdempotencyStore } from '../idempotency/store.ts';
import type { GuardState } from '../intentions/guard-state.ts';
import { describeMethod, type Method, serviceName } from '../method.ts';
import type { Policies } from '../policy/call-policy.ts';
import type { FaultsInForce } from '../policy/fault.ts';
import { type Admission, createAdmission } from './admission/admission.ts';
import type { LoopTurn } from './admission/loop-turn.ts';
import { type CallTally, createCallTally } from './call-tally.ts';
import { serverDeadline } from './deadline.ts';
import type { DoorLimits } from './door/limits.ts';
import { type ListenAs, PLAINTEXT } from './door/listen-as.ts';
import { logFaults } from './errors.ts';
import { serverFaults } from './faults.ts';
import { addChains, createGrpcServer } from './grpc-server.ts';
import type { Handlers } from './handlers.ts';
import { createHealth } from './health.ts';
import { type Implementation, implement } from './implementation.ts';
import { instanceHandlers, type InstanceName } from './instance.ts';
import { serverOutcome } from './outcome.ts';
import { reflectionOf } from './reflection.ts';
import type { RuntimeState } from './runtime-state.ts';
import type { ServerInstruments } from './server-instruments.ts';
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
  /** Where the keys of its effects are kept. Left out: a call whose handler needs it is refused. */
  readonly idempotency?: IdempotencyStore | undefined;
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
  /** Goes on serving until callers have noticed that it left: 0.3 to 3 s. */
  untilQuiet(): Promise<void>;
  /** Ends streams, lets other calls in flight finish, at most a few seconds, then closes. */
  stop(): Promise<void>;
  /** Cuts the waits of `untilQuiet` and `stop` short. */
  hurry(): void;
}

/** What the services of a process share. */
export interface HostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly policies: Policies;
  readonly faults: FaultsInForce;
  readonly turn: LoopTurn;
  readonly instruments: ServerInstruments;
  /** Who may call a method of a service: links right behind the deadline, outermost first. */
  readonly guards: (method: Method, service: string) => readonly ServerInterceptor[];
  /** How the guards of a service do. */
  readonly guarded: ((service: string) => GuardState) | undefined;
  /** Innermost interceptors of every method. */
  readonly interceptors: readonly ServerInterceptor[];
  /** What its ports take from their peers, where it differs from the defaults. */
  readonly limits: Partial<DoorLimits>;
  /** How the process sees those it calls. */
  readonly destinations: () => readonly CalledService[];
}

/** A service that is callable from this process. */
export interface Hosting {
  readonly chains: Chains;
  /** Makes it callable from other processes too; several times, for several ports. Plaintext from nobody knows whom when it is not said how. */
  listen(address: string, port: number, as?: ListenAs): Promise<Listening>;
}

/** The server chain of each method. */
export type Chains = ReadonlyMap<Method, Invoke<ServerCall>>;

/** How long calls in flight may take once their server stops. */
const STOP_GRACE_MS = 5_000;

/** Composes the chains of a service's methods, for callers in this process, and listens with them for others. */
export function hostService<S extends DescService>(
  service: Hosted<S>,
  options: HostOptions,
): Hosting {
  const { clock, random, policies, turn, faults, destinations, instruments, guarded } = options;
  const name = serviceName(service.contract);
  const implementations = [implement(service.contract, service.handlers), ...(service.further ?? [])];
  const admission = createAdmission({ policy: policies.server(name), clock, random, turn });
  instruments.watchAdmission(name, admission.read);
  if (guarded) instruments.watchGuard(name, () => guarded(name));
  const tallies = new Map<string, CallTally>();
  const interceptorsOf = (method: Method): readonly ServerInterceptor[] => {
    const tally = createCallTally(clock);
    tallies.set(method.fullName, tally);
    return serverInterceptors(service, options, method, tally, admission);
  };
  const chains = new Map(implementations.flatMap((part) => [...chainsOf(part, interceptorsOf)]));
  const contracts = implementations.map(({ contract }) => contract);
  const state = (): RuntimeState => ({
    ...{ faultsAllowed: faults.allowed, faults: faults.faultsOf(name) },
    ...{ admission: admission.read(), destinations: destinations(), guard: guarded?.(name) },
  });
  const instance = instanceHandlers(name, service.instance ?? { id: '', version: '' }, tallies, state);
  const served: Served = { contracts, chains, check: service.check, instance };
  return { chains, listen: (address, port, as = PLAINTEXT) => listen(name, served, options, address, port, as) };
}

/** What a port answers for. */
interface Served {
  readonly contracts: readonly DescService[];
  readonly chains: Chains;
  readonly check: () => Promise<void>;
  readonly instance: Handlers<typeof InstanceService>;
}

async function listen(name: string, served: Served, options: HostOptions, address: string, port: number, as: ListenAs): Promise<Listening> {
  const { clock, random, log, limits, instruments, guards } = options;
  const { contracts, chains, check, instance } = served;
  const grpc = createGrpcServer({ clock, random, log, limits, as });
  const health = createHealth(contracts.map(({ typeName }) => typeName), check, clock);
  // What is asked all the time runs without spans, admission and validation, and is not counted: a busy server must still say that it is there.
  const plain = [serverOutcome(logFaults(log)), serverDeadline(clock)];
  addChains(grpc, chains);
  // An agent's probe shows no certificate.
  addChains(grpc, chainsOf(implement(Health, health.handlers), () => plain));
  const beside = [implement(InstanceService, instance), ...reflectionOf([...contracts, Health, InstanceService])];
  for (const part of beside) addChains(grpc, chainsOf(part, (method) => [...plain, ...guards(method, name)]));
  const { door, open } = grpc;
  const bound = await door.listen(address, port);
  let draining = false;
  const unwatch = instruments.watchDoor(name, as.kind, () => ({ counts: door.read(), openCalls: open.size, draining }));
  return {
    port: bound,
    drain() {
      draining = true;
      health.drain();
    },
    untilQuiet: door.untilQuiet,
    stop: () => door.close(STOP_GRACE_MS).finally(unwatch),
    hurry: door.hurry,
  };
}

function chainsOf({ contract, linkOf }: Implementation, interceptorsOf: (method: Method) => readonly ServerInterceptor[]): Chains {
  return new Map(contract.methods.map(describeMethod).map((method) => [method, compose(interceptorsOf(method), linkOf(method))]));
}

/**
 * What each call passes, outside in: its instruments, where there are any; tracing with the outcome's log and count, so
 * that they see every refusal; deadline, so that nothing is done for a call whose time is spent; guards, which say who may
 * call; admission, before any work; faults on purpose, which stand for the handler; validation; idempotency, which answers repeats; what the process
 * adds. The handler follows.
 */
function serverInterceptors<S extends DescService>(
  { log, tracer, contract, idempotency }: Hosted<S>,
  { clock, random, faults, guards, interceptors, instruments }: HostOptions,
  method: Method,
  { count }: CallTally,
  admission: Admission,
): readonly ServerInterceptor[] {
  const ordered = faults.of(serviceName(contract), method.desc.name);
  const failing = serverFaults({ faults: ordered, allowed: faults.allowed, clock, random });
  instruments.watchFaults(method, failing.read);
  return [
    ...instruments.serverCall(method),
    serverTracing(tracer, method, [logFaults(log), count]),
    serverDeadline(clock),
    ...guards(method, serviceName(contract)),
    admission.link(method),
    failing.link,
    serverValidation,
    ...serverIdempotency(method, { store: idempotency, clock, random }),
    ...interceptors,
  ];
}
