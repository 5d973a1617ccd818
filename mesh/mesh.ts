import type { DescService } from '@bufbuild/protobuf';
import type { ChannelInterface } from '@grpc/grpc-js';
import type { Tracer } from '@opentelemetry/api';

import { type Clock, type Log, refusal, type Stoppable } from '#kit';

import type { ClientCall, ClientInterceptor, Invoke, ServerInterceptor } from './call.ts';
import { compose } from './chain.ts';
import { type Client, createClient } from './client/client.ts';
import { clientDeadline } from './client/deadline.ts';
import { fidelity } from './client/fidelity.ts';
import { localTransport } from './client/local-transport.ts';
import { remoteTransport } from './client/remote-transport.ts';
import { clientTracing } from './client/tracing.ts';
import type { Method } from './method.ts';
import { type Hosted, hostService, type Listening } from './server/hosting.ts';

export interface MeshOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Opens the channel to a service by its registry name, such as `inventory`. Asked once for each. */
  readonly openChannel: (service: string) => ChannelInterface;
  /**
   * How calls within the process hand over messages. `direct`, the default: as they are.
   * `fidelity`: through their bytes, as between processes; costs what encoding and decoding cost.
   */
  readonly localCalls?: LocalCalls;
  /** Innermost interceptors, added by whoever composes the process: faults and kill points of tests. */
  readonly interceptors?: {
    readonly client?: readonly ClientInterceptor[];
    readonly server?: readonly ServerInterceptor[];
  };
}

export type LocalCalls = 'direct' | 'fidelity';

/** The runtime of one process: what it hosts, and how it calls others. */
export interface Mesh extends Stoppable {
  /** Makes a service callable from this process; `listen` makes it callable from others. */
  host<S extends DescService>(service: Hosted<S>): { listen(address: string, port: number): Promise<Listening> };
  /** The stub of a contract for one caller. Goes to the service in this process if it is hosted here, else over the network. */
  client<S extends DescService>(contract: S, caller: { readonly tracer: Tracer }): Client<S>;
}

export function createMesh({ clock, log, openChannel, localCalls = 'direct', interceptors = {} }: MeshOptions): Mesh {
  const localMethods = new Map<string, Invoke<ClientCall>>();
  const remotes = new Map<string, { channel: ChannelInterface; invoke: Invoke<ClientCall> }>();
  let stopped = false;

  /** The client chain, outside in: tracing, deadline, what the process adds, transport. */
  function clientChain(method: Method, tracer: Tracer): Invoke<ClientCall> {
    return compose([clientTracing(tracer, method), clientDeadline(clock), ...(interceptors.client ?? [])], (call) =>
      (localMethods.get(method.path) ?? remote(method.destination))(call),
    );
  }

  function remote(service: string): Invoke<ClientCall> {
    // A channel opened now would be closed by nobody.
    if (stopped) throw refusal('CANCELLED', `${service} is not called any more: this process is stopping`);
    let found = remotes.get(service);
    if (!found) {
      const channel = openChannel(service);
      remotes.set(service, (found = { channel, invoke: remoteTransport(channel) }));
    }
    return found.invoke;
  }

  return {
    host(service) {
      const { chains, listen } = hostService(service, { clock, log, interceptors: interceptors.server ?? [] });
      for (const [{ path }, chain] of chains) {
        const direct = localTransport(chain);
        localMethods.set(path, localCalls === 'fidelity' ? fidelity(direct) : direct);
      }
      return { listen };
    },
    client: (contract, { tracer }) => createClient(contract, (method) => clientChain(method, tracer)),
    async stop() {
      stopped = true;
      for (const { channel } of remotes.values()) channel.close();
      remotes.clear();
    },
  };
}
