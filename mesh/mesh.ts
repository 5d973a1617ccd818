import type { DescService } from '@bufbuild/protobuf';
import type { ChannelInterface } from '@grpc/grpc-js';
import { createNoopMeter, type Meter, type Tracer } from '@opentelemetry/api';

import { type Clock, type Log, type Random, type Stoppable, systemRandom } from '#kit';

import type { ClientCall, ClientInterceptor, Invoke, ServerInterceptor } from './call.ts';
import type { CalledService } from './called-service.ts';
import { type Client, createClient } from './client/client.ts';
import { fidelity } from './client/fidelity.ts';
import { localTransport } from './client/local-transport.ts';
import { createOutbound, type OpenChannel } from './client/outbound.ts';
import { clientKeys } from './idempotency/client-keys.ts';
import { createInstruments } from './instruments/instruments.ts';
import type { Policies } from './policy/call-policy.ts';
import { defaultPolicies } from './policy/defaults.ts';
import { type FaultsInForce, NO_FAULTS } from './policy/fault.ts';
import { createLoopTurn } from './server/admission/loop-turn.ts';
import type { DoorLimits } from './server/door/limits.ts';
import { type Hosted, hostService, type Listening } from './server/hosting.ts';

export interface MeshOptions {
  readonly clock: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  readonly log: Log;
  readonly openChannel: OpenChannel;
  /** What calls and mechanisms are measured with; of one mesh alone. Default: nothing is measured. */
  readonly meter?: Meter;
  /** This process's zone: instances in it are called first. Default: none. */
  readonly zone?: string;
  /** The numbers of every mechanism. Default: those of `defaults.ts`. */
  readonly policies?: Policies;
  /** Failures on purpose. Default: there are none, and asking for one is refused. */
  readonly faults?: FaultsInForce;
  /**
   * How calls within the process hand over messages. `direct`, the default: as they are.
   * `fidelity`: through their bytes, as between processes; costs what encoding and decoding cost.
   */
  readonly localCalls?: LocalCalls;
  /** What the ports of this process take from their peers, where it differs from the defaults. */
  readonly limits?: Partial<DoorLimits>;
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
  /** The channel to a service, for calls whose contract is not known here: balanced as those of the stubs are. Closed by `stop`. */
  channel(service: string): ChannelInterface;
  /** How the services that this process calls do, as it sees them. */
  read(): readonly CalledService[];
}

export function createMesh(options: MeshOptions): Mesh {
  const { clock, log, random = systemRandom, policies = defaultPolicies, faults = NO_FAULTS, localCalls = 'direct', limits = {}, interceptors = {} } = options;
  const instruments = createInstruments(options.meter ?? createNoopMeter(), () => performance.now());
  const localMethods = new Map<string, Invoke<ClientCall>>();
  const outbound = createOutbound({
    ...{ clock, random, log, policies, zone: options.zone ?? '', openChannel: options.openChannel, instruments },
    interceptors: interceptors.client ?? [],
    local: ({ path }) => localMethods.get(path),
  });
  const turn = createLoopTurn();

  return {
    host(service) {
      const { chains, listen } = hostService(service, {
        ...{ clock, random, log, policies, faults, limits, turn, instruments },
        ...{ interceptors: interceptors.server ?? [], destinations: outbound.read },
      });
      for (const [{ path, destination }, chain] of chains) {
        const direct = localTransport(chain, destination, service.instance?.id);
        localMethods.set(path, localCalls === 'fidelity' ? fidelity(direct) : direct);
      }
      return { listen };
    },
    client: (contract, { tracer }) => createClient(contract, (method) => clientKeys(method, clock, random)(outbound.chain(method, tracer))),
    channel: outbound.channel,
    read: outbound.read,
    async stop() {
      instruments.stop();
      outbound.stop();
    },
  };
}
