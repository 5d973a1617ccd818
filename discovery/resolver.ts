import { type ChannelOptions, experimental, Metadata, type ServiceConfig, status } from '@grpc/grpc-js';
import { type MeshError, refusal, type Stoppable } from '#kit';

import type { ControlPlane, Instance } from './control-plane.ts';
import { weightedRound } from './weighted-order.ts';

/**
 * The channel option that carries the control plane. The prefix keeps it out of
 * the arguments of subchannels, which are compared to find a connection to reuse.
 */
export const CONTROL_PLANE_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.shopmesh_control_plane`;

// One object each, for ever: what differs from update to update can cost every connection.
const ROUND_ROBIN: ServiceConfig = { loadBalancingConfig: [{ round_robin: {} }], methodConfig: [] };
const PICK_FIRST: ServiceConfig = { loadBalancingConfig: [{ pick_first: {} }], methodConfig: [] };
const ATTRIBUTES = {};

type Target = experimental.GrpcUri;
type Listener = experimental.ResolverListener;

/**
 * Resolves `consul:///<service>` to the healthy instances of the service, for
 * round robin. A class because grpc-js constructs it itself.
 *
 * The watch behind it pushes every change, so `updateResolution` only starts it:
 * answering again from there, as grpc-js asks after every failed connection,
 * would make the two call each other for ever.
 */
export class ConsulResolver implements experimental.Resolver {
  readonly #service: string;
  readonly #listener: Listener;
  readonly #controlPlane: ControlPlane;
  #watch: Stoppable | undefined;
  #hasInstances = false;

  constructor(target: Target, listener: Listener, options: ChannelOptions) {
    // Options have no types of their own; only discoveryChannelOptions writes this one.
    const controlPlane = options[CONTROL_PLANE_OPTION] as ControlPlane | undefined;
    if (!controlPlane) {
      throw refusal('INTERNAL', 'a channel to consul:///… needs the options of discoveryChannelOptions(controlPlane)');
    }
    this.#service = serviceOf(target);
    this.#listener = listener;
    this.#controlPlane = controlPlane;
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
    this.#hasInstances = false;
  }

  #start(): Stoppable {
    // grpc-js must not be called back before updateResolution has returned, whatever the control plane does.
    const later = (report: () => void): void =>
      process.nextTick(() => {
        if (this.#watch === watch) report();
      });
    const watch = this.#controlPlane.watchInstances(this.#service, {
      onInstances: (instances) => later(() => this.#report(instances)),
      onError: (error) => later(() => this.#reportError(error)),
    });
    return watch;
  }

  #report(instances: readonly Instance[]): void {
    this.#hasInstances = instances.length > 0;
    if (!this.#hasInstances) return this.#reportNone();
    const endpoints = weightedRound(instances).map(({ address, port }) => ({ addresses: [{ host: address, port }] }));
    this.#listener(experimental.statusOrFromValue(endpoints), ATTRIBUTES, statusOf(ROUND_ROBIN), '');
  }

  /**
   * round_robin makes calls wait until their deadline on an empty list, and keeps
   * its old list on an error. pick_first, new to the channel, has no list to keep:
   * with an error it drops the old connections and fails every call at once.
   */
  #reportNone(): void {
    const details = `NO_INSTANCE: no healthy instance of ${this.#service}; start one with \`mesh serve ${this.#service}\`, or see \`mesh ps\``;
    this.#listener(unavailable(details), ATTRIBUTES, statusOf(PICK_FIRST), '');
  }

  /** Calls go on with the last list; only where there never was one do they fail, instead of waiting for it. */
  #reportError({ reason, message }: MeshError): void {
    if (this.#hasInstances) return;
    this.#listener(unavailable(`${reason}: ${message}`), ATTRIBUTES, statusOf(ROUND_ROBIN), '');
  }
}

function serviceOf({ path }: Target): string {
  const [service = ''] = path.split('?');
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(service)) return service;
  throw refusal('INVALID_ARGUMENT', `"${service}" is not a service; a target looks like consul:///inventory`);
}

function unavailable(details: string): experimental.StatusOr<experimental.Endpoint[]> {
  return experimental.statusOrFromError({ code: status.UNAVAILABLE, details, metadata: new Metadata() });
}

function statusOf(config: ServiceConfig): experimental.StatusOr<ServiceConfig> {
  return experimental.statusOrFromValue(config);
}
