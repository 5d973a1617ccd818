import { type ChannelOptions, connectivityState, experimental, type StatusObject } from '@grpc/grpc-js';

import { instanceEndpoints, type InstanceEndpoint } from '#discovery';

import { toStatus } from '../../status.ts';
import { connectLimitMs } from './connect-limit.ts';
import type { Destination } from './destination.ts';
import { InstanceConnections } from './instance-connections.ts';
import { LeastRequestPicker } from './least-request-picker.ts';
import { noInstance, unreachable } from './refusals.ts';
import { followRoots } from './trust-option.ts';

export const LEAST_REQUEST = 'shopmesh_least_request';

/** The channel option that carries the destination. The prefix keeps it out of the arguments of subchannels, which are compared to find a connection to reuse. */
export const DESTINATION_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.shopmesh_destination`;

/** The policy takes its numbers from the destination, so there is nothing to configure. A class because grpc-js makes it. */
export class LeastRequestConfig implements experimental.TypedLoadBalancingConfig {
  static createFromJson(): LeastRequestConfig {
    return new LeastRequestConfig();
  }

  getLoadBalancerName(): string {
    return LEAST_REQUEST;
  }

  toJsonObject(): object {
    return { [LEAST_REQUEST]: {} };
  }
}

/**
 * Keeps the connections to a destination's instances, and tells grpc-js who can be called: the load balancing policy of
 * gRFC A24 and A61, with a leaf for each connection. An update touches the connections of the instances that it
 * changes and no other. A class because grpc-js constructs it itself.
 */
export class LeastRequestPolicy implements experimental.LoadBalancer {
  readonly #helper: experimental.ChannelControlHelper;
  readonly #connections = new Map<string, InstanceConnections>();
  #destination: Destination | undefined;
  #state: connectivityState = connectivityState.IDLE;
  /** While it is, what connections report is not passed on: the list is half applied, or nobody listens any more. */
  #silent = false;
  #lastError = 'nothing is known yet';
  #leaveRoots: (() => void) | undefined;

  constructor(helper: experimental.ChannelControlHelper) {
    this.#helper = helper;
  }

  updateAddressList(list: experimental.StatusOr<experimental.Endpoint[]>, _: experimental.TypedLoadBalancingConfig, options: ChannelOptions): boolean {
    // Options have no types of their own; only balancingOptions writes this one.
    const destination = options[DESTINATION_OPTION] as Destination;
    this.#destination = destination;
    this.#leaveRoots ??= followRoots(options, (laterMs) => this.#renew(options, laterMs));
    if (list.ok) this.#update(destination, instanceEndpoints(list.value), options);
    // Without news, who was there last still is, as far as anybody knows.
    else if (this.#connections.size === 0) this.#tellFailure(list.error);
    return true;
  }

  /** It connects by itself. */
  exitIdle(): void {}

  resetBackoff(): void {}

  destroy(): void {
    this.#silent = true;
    this.#leaveRoots?.();
    for (const id of [...this.#connections.keys()]) this.#remove(id);
  }

  getTypeName(): string {
    return LEAST_REQUEST;
  }

  #update(destination: Destination, endpoints: readonly InstanceEndpoint[], options: ChannelOptions): void {
    this.#silent = true;
    destination.update(endpoints.map(({ instance }) => instance));
    const listed = new Map(endpoints.map((endpoint) => [endpoint.instance.id, endpoint]));
    for (const [id, { address }] of [...this.#connections]) {
      const endpoint = listed.get(id);
      if (!endpoint || experimental.endpointToString(endpoint) !== address) this.#remove(id);
    }
    for (const [id, endpoint] of listed) this.#connectionsTo(id, endpoint, options).resize(destination.connectionsPerInstance, options);
    this.#silent = false;
    this.#tell(destination);
  }

  #connectionsTo(id: string, endpoint: InstanceEndpoint, options: ChannelOptions): InstanceConnections {
    const known = this.#connections.get(id);
    if (known) return known;
    const connections = new InstanceConnections(endpoint, this.#helper, (errorMessage) => this.#changed(id, errorMessage), connectLimitMs(options));
    this.#connections.set(id, connections);
    return connections;
  }

  /** The connections' options never change in the life of a channel. */
  #renew(options: ChannelOptions, laterMs: () => number): void {
    for (const connections of this.#connections.values()) connections.renew(options, laterMs());
  }

  #remove(id: string): void {
    this.#connections.get(id)?.destroy();
    this.#connections.delete(id);
    this.#destination?.setConnected(id, false);
  }

  #changed(id: string, errorMessage: string | null): void {
    if (errorMessage) this.#lastError = causeOf(errorMessage);
    const destination = this.#destination;
    const connections = this.#connections.get(id);
    if (!destination || !connections) return;
    destination.setConnected(id, connections.state === connectivityState.READY);
    if (!this.#silent) this.#tell(destination);
  }

  /** Tells grpc-js what it can do with calls: send, keep for a moment, or fail. */
  #tell(destination: Destination): void {
    const { service } = destination;
    const states = [...this.#connections.values()].map(({ state }) => state);
    if (states.length === 0) this.#tellFailure(toStatus(noInstance(service)));
    else if (states.includes(connectivityState.READY)) this.#tellState(connectivityState.READY, () => new LeastRequestPicker(destination, this.#connections));
    else if (states.includes(connectivityState.CONNECTING)) this.#tellState(connectivityState.CONNECTING, () => new experimental.QueuePicker(this));
    else this.#tellFailure(toStatus(unreachable(service, this.#lastError)));
  }

  /** A picker sees every change by itself: another one would only make grpc-js ask again for all calls that wait. */
  #tellState(state: connectivityState, picker: () => experimental.Picker): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#helper.updateState(state, picker(), null);
  }

  #tellFailure(status: Partial<StatusObject>): void {
    this.#state = connectivityState.TRANSIENT_FAILURE;
    this.#helper.updateState(this.#state, new experimental.UnavailablePicker(status), status.details ?? null);
  }
}

/** What a leaf says, without the frame that it puts around the cause. */
function causeOf(errorMessage: string): string {
  return /Last error: (.+?)\. Resolution note/s.exec(errorMessage)?.[1] ?? errorMessage;
}
