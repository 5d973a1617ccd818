import type { DescService } from '@bufbuild/protobuf';
import type { ChannelInterface } from '@grpc/grpc-js';
import type { Tracer } from '@opentelemetry/api';

import type { Clock, Log, Stoppable } from '#kit';
import { Health } from '#proto/grpc/health/v1/health_pb.js';

import type { ClientCall, ClientInterceptor, Invoke, ServerCall, ServerInterceptor } from './call.ts';
import { compose } from './chain.ts';
import { type Client, createClient } from './client/client.ts';
import { clientDeadline } from './client/deadline.ts';
import { localTransport } from './client/local-transport.ts';
import { remoteTransport } from './client/remote-transport.ts';
import { clientTracing } from './client/tracing.ts';
import { describeMethod, type Method } from './method.ts';
import { serverDeadline } from './server/deadline.ts';
import { serverErrors } from './server/errors.ts';
import { addContract, bind, createGrpcServer, shutDown } from './server/grpc-server.ts';
import { type Handlers, handlerLink } from './server/handlers.ts';
import { createHealth } from './server/health.ts';
import { addReflection } from './server/reflection.ts';
import { serverTracing } from './server/tracing.ts';
import { serverValidation } from './server/validation.ts';

export interface MeshOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Opens the channel to a service by its registry name, such as `inventory`. Asked once for each. */
  readonly openChannel: (service: string) => ChannelInterface;
  /** Innermost interceptors, added by whoever composes the process: faults and kill points of tests. */
  readonly interceptors?: {
    readonly client?: readonly ClientInterceptor[];
    readonly server?: readonly ServerInterceptor[];
  };
}

/** One service as a process hosts it. */
export interface Hosted<S extends DescService> {
  readonly contract: S;
  readonly handlers: Handlers<S>;
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

/** The runtime of one process: what it hosts, and how it calls others. */
export interface Mesh extends Stoppable {
  /** Makes a service callable from this process; `listen` makes it callable from others. */
  host<S extends DescService>(service: Hosted<S>): { listen(address: string, port: number): Promise<Listening> };
  /** The stub of a contract for one caller. Goes to the service in this process if it is hosted here, else over the network. */
  client<S extends DescService>(contract: S, caller: { readonly tracer: Tracer }): Client<S>;
}

/** How long calls in flight may take once their server stops. */
const STOP_GRACE_MS = 5_000;

export function createMesh({ clock, log, openChannel, interceptors = {} }: MeshOptions): Mesh {
  const localMethods = new Map<string, Invoke<ClientCall>>();
  const remotes = new Map<string, { channel: ChannelInterface; invoke: Invoke<ClientCall> }>();

  /** The server chain, outside in: errors, tracing, deadline, validation, what the process adds, handler. */
  function serverChain<S extends DescService>(service: Hosted<S>, method: Method): Invoke<ServerCall> {
    return compose(
      [
        serverErrors(service.log),
        serverTracing(service.tracer, method),
        serverDeadline(clock),
        serverValidation,
        ...(interceptors.server ?? []),
      ],
      handlerLink(method, service.handlers),
    );
  }

  /** The client chain, outside in: tracing, deadline, what the process adds, transport. */
  function clientChain(method: Method, tracer: Tracer): Invoke<ClientCall> {
    return compose([clientTracing(tracer, method), clientDeadline(clock), ...(interceptors.client ?? [])], (call) =>
      (localMethods.get(method.path) ?? remote(method.destination))(call),
    );
  }

  function remote(service: string): Invoke<ClientCall> {
    let found = remotes.get(service);
    if (!found) {
      const channel = openChannel(service);
      remotes.set(service, (found = { channel, invoke: remoteTransport(channel) }));
    }
    return found.invoke;
  }

  return {
    host(service) {
      const chains = new Map(service.contract.methods.map((desc) => [describeMethod(desc), serverChain(service, describeMethod(desc))]));
      for (const [method, chain] of chains) localMethods.set(method.path, localTransport(chain));
      // Every method of the contract has just been put into `chains`.
      return { listen: (address, port) => listen(service, (method) => chains.get(method) as Invoke<ServerCall>, address, port) };
    },
    client: (contract, { tracer }) => createClient(contract, (method) => clientChain(method, tracer)),
    async stop() {
      for (const { channel } of remotes.values()) channel.close();
      remotes.clear();
    },
  };

  async function listen<S extends DescService>(
    service: Hosted<S>,
    chainOf: (method: Method) => Invoke<ServerCall>,
    address: string,
    port: number,
  ): Promise<Listening> {
    const grpc = createGrpcServer();
    const health = createHealth([service.contract.typeName], service.check, clock);
    addContract(grpc, service.contract, chainOf);
    // Health and reflection are asked all the time: they run without spans and validation.
    addContract(grpc, Health, (method) => compose([serverErrors(log), serverDeadline(clock)], handlerLink(method, health.handlers)));
    addReflection(grpc.server, [service.contract, Health]);
    const bound = await bind(grpc, address, port);
    return { port: bound, drain: health.drain, stop: () => shutDown(grpc, STOP_GRACE_MS) };
  }
}
