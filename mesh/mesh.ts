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
import type { CertificateFigures } from './instruments/certificates.ts';
import { createInstruments } from './instruments/instruments.ts';
import type { GuardState } from './intentions/guard-state.ts';
import type { Method } from './method.ts';
import type { Policies } from './policy/call-policy.ts';
import { defaultPolicies } from './policy/defaults.ts';
import { type FaultsInForce, NO_FAULTS } from './policy/fault.ts';
import { createLoopTurn } from './server/admission/loop-turn.ts';
import type { DoorLimits } from './server/door/limits.ts';
import { type Hosted, hostService, type Hosting } from './server/hosting.ts';

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
  /** Who may call a method of a service that is hosted here: links right behind the deadline, outermost first. Health is answered to everybody. */
  readonly guards?: (method: Method, service: string) => readonly ServerInterceptor[];
  /** How the guards of a service do, for those who ask its instance. Default: nobody is kept out. */
  readonly guarded?: ((service: string) => GuardState) | undefined;
  /** How the certificates of this process do, for the meter. Default: it has none. */
  readonly certificates?: () => CertificateFigures;
  /** What goes into each call on its way out, once for all its attempts; the deadline is set. */
  readonly outgoing?: readonly ClientInterceptor[];
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
  host<S extends DescService>(service: Hosted<S>): Pick<Hosting, 'listen'>;
  /** The stub of a contract for one caller; `service` is its registry name, empty for what is no service. Goes to the service in this process if it is hosted here, else over the network. */
  client<S extends DescService>(contract: S, caller: { readonly tracer: Tracer; readonly service: string }): Client<S>;
  /** A caller's channel to a service, for calls whose contract is not known here: balanced as those of the stubs are. Closed by `stop`. */
  channel(service: string, caller: string): ChannelInterface;
  /** How the services that this process calls do, as it sees them. */
  read(): readonly CalledService[];
}

export function createMesh(options: MeshOptions): Mesh {
  const { clock, log, random = systemRandom, policies = defaultPolicies, faults = NO_FAULTS, localCalls = 'direct', limits = {}, interceptors = {} } = options;
  const { guards = () => [], guarded, certificates, outgoing = [] } = options;
  const instruments = createInstruments(options.meter ?? createNoopMeter(), () => performance.now());
  if (certificates) instruments.watchCertificates(() => ({ ...certificates(), nowMs: clock.now() }));
  const localMethods = new Map<string, Invoke<ClientCall>>();
  const outbound = createOutbound({
    ...{ clock, random, log, policies, zone: options.zone ?? '', openChannel: options.openChannel, instruments },
    ...{ outgoing, interceptors: interceptors.client ?? [] },
    local: ({ path }) => localMethods.get(path),
  });
  const turn = createLoopTurn();

  return {
    host(service) {
      const { chains, listen } = hostService(service, {
        ...{ clock, random, log, policies, faults, limits, turn, instruments, guards, guarded },
        ...{ interceptors: interceptors.server ?? [], destinations: outbound.read },
      });
      for (const [{ path, destination }, chain] of chains) {
        const direct = localTransport(chain, destination, service.instance?.id);
        localMethods.set(path, localCalls === 'fidelity' ? fidelity(direct) : direct);
      }
      return { listen };
    },
    client: (contract, { tracer, service }) =>
      createClient(contract, service, (method) => clientKeys(method, clock, random)(outbound.chain(method, tracer, service))),
    channel: outbound.channel,
    read: outbound.read,
    async stop() {
      instruments.stop();
      outbound.stop();
    },
  };
}
