import { type ChannelOptions, experimental, Metadata, type ServiceConfig, status } from '@grpc/grpc-js';
import { type MeshError, refusal, type Stoppable } from '#kit';

import type { ControlPlane, Instance } from './control-plane.ts';

/**
 * The channel option that carries the control plane. The prefix keeps it out of
 * the arguments of subchannels, which are compared to find a connection to reuse.
 */
export const CONTROL_PLANE_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.shopmesh_control_plane`;

/**
 * The channel option that names the load balancing policy. It must be registered, know what to do with an empty list,
 * and finds the instance of each endpoint by {@link instanceEndpoints}.
 */
export const BALANCING_POLICY_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.shopmesh_balancing_policy`;

// One object for ever: what differs from update to update can cost every connection.
const ATTRIBUTES = {};

type Target = experimental.GrpcUri;
type Listener = experimental.ResolverListener;

/** An address to connect to, with what the control plane knows of who is there. */
export interface InstanceEndpoint extends experimental.Endpoint {
  readonly instance: Instance;
}

/** What the resolver has handed out, as the policy of its channel gets it. */
export function instanceEndpoints(endpoints: readonly experimental.Endpoint[]): readonly InstanceEndpoint[] {
  // grpc-js hands endpoints on as they are, and ConsulResolver makes no others.
  return endpoints as readonly InstanceEndpoint[];
}

/**
 * Resolves `consul:///<service>` to the healthy instances of the service. A class
 * because grpc-js constructs it itself.
 *
 * The watch behind it pushes every change, so `updateResolution` only starts it:
 * answering again from there, as grpc-js asks after every failed connection,
 * would make the two call each other for ever.
 */
export class ConsulResolver implements experimental.Resolver {
  readonly #service: string;
  readonly #listener: Listener;
  readonly #controlPlane: ControlPlane;
  readonly #config: experimental.StatusOr<ServiceConfig>;
  #watch: Stoppable | undefined;

  constructor(target: Target, listener: Listener, options: ChannelOptions) {
    // Options have no types of their own; only discoveryChannelOptions writes this one.
    const controlPlane = options[CONTROL_PLANE_OPTION] as ControlPlane | undefined;
    if (!controlPlane) {
      throw refusal('INTERNAL', 'a channel to consul:///… needs the options of discoveryChannelOptions(controlPlane)');
    }
    this.#service = serviceOf(target);
    this.#listener = listener;
    this.#controlPlane = controlPlane;
    this.#config = configOf(options[BALANCING_POLICY_OPTION]);
  }

  /** The `:authority` of calls: the service's name. A query kept in it would end every call with RST_STREAM. */
  static getDefaultAuthority(target: Target): string {
    return serviceOf(target);
  }

  updateResolution(): void {
    this.#watch ??= this.#start();
  }

  /** The channel does this when it closes, and also after 30 idle minutes; then it may ask again. */
  destroy(): void {
    void this.#watch?.stop();
    this.#watch = undefined;
  }

  #start(): Stoppable {
    // grpc-js must not be called back before updateResolution has returned, whatever the control plane does.
    const later = (report: () => void): void =>
      process.nextTick(() => {
        if (this.#watch === watch) report();
      });
    const watch = this.#controlPlane.watchInstances(this.#service, {
      onInstances: (instances) => later(() => this.#tell(experimental.statusOrFromValue(instances.map(endpointOf)))),
      onError: (error) => later(() => this.#tell(unavailable(error))),
    });
    return watch;
  }

  #tell(endpoints: experimental.StatusOr<experimental.Endpoint[]>): void {
    this.#listener(endpoints, ATTRIBUTES, this.#config, '');
  }
}

function endpointOf(instance: Instance): InstanceEndpoint {
  return { addresses: [{ host: instance.address, port: instance.port }], instance };
}

/** grpc-js takes pick_first, and says nothing, where a policy is not named or not registered: one connection for all calls. */
function configOf(policy: unknown): experimental.StatusOr<ServiceConfig> {
  if (typeof policy !== 'string' || !experimental.isLoadBalancerNameRegistered(policy)) {
    throw refusal('INTERNAL', 'a channel to consul:///… needs the name of a registered load balancing policy, as from balancingOptions(destination)');
  }
  return experimental.statusOrFromValue({ loadBalancingConfig: [{ [policy]: {} }], methodConfig: [] });
}

function serviceOf({ path }: Target): string {
  const [service = ''] = path.split('?');
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(service)) return service;
  throw refusal('INVALID_ARGUMENT', `"${service}" is not a service; a target looks like consul:///inventory`);
}

/** Why nothing is known. A policy that has a list goes on with it. */
function unavailable({ reason, message }: MeshError): experimental.StatusOr<experimental.Endpoint[]> {
  return experimental.statusOrFromError({ code: status.UNAVAILABLE, details: `${reason}: ${message}`, metadata: new Metadata() });
}
