import { type ChannelOptions, connectivityState, experimental } from '@grpc/grpc-js';

import type { InstanceEndpoint } from '#discovery';

type Leaf = experimental.LeafLoadBalancer;

/** Sets a connection apart from the others to the same address, which grpc-js would share. */
const CONNECTION_OPTION = 'shopmesh.connection';

/** Is told that a connection came up or was lost, and why none could be made. */
type OnChange = (errorMessage: string | null) => void;

/** The connections to one instance: made at once, made again when they are lost, and used in turn. */
export class InstanceConnections {
  /** Where the instance is: another one needs other connections. */
  readonly address: string;
  readonly #endpoint: InstanceEndpoint;
  readonly #helper: experimental.ChannelControlHelper;
  readonly #onChange: OnChange;
  #leaves: Leaf[] = [];
  #turn = 0;

  constructor(endpoint: InstanceEndpoint, helper: experimental.ChannelControlHelper, onChange: OnChange) {
    this.address = experimental.endpointToString(endpoint);
    this.#endpoint = endpoint;
    this.#helper = helper;
    this.#onChange = onChange;
  }

  /** READY when one connection is up, TRANSIENT_FAILURE when none could be made, else CONNECTING. */
  get state(): connectivityState {
    const states = this.#leaves.map((leaf) => leaf.getConnectivityState());
    if (states.includes(connectivityState.READY)) return connectivityState.READY;
    const failed = states.every((state) => state === connectivityState.TRANSIENT_FAILURE);
    return failed ? connectivityState.TRANSIENT_FAILURE : connectivityState.CONNECTING;
  }

  /** Makes so many connections, or ends those that are too many. What is connected stays so. */
  resize(count: number, options: ChannelOptions): void {
    for (const leaf of this.#leaves.splice(count)) leaf.destroy();
    while (this.#leaves.length < count) this.#connect(this.#leaves.length, options);
  }

  /** The next connection that is up. */
  pick(args: experimental.PickArgs): experimental.PickResult | undefined {
    for (let tried = 0; tried < this.#leaves.length; tried += 1) {
      this.#turn = (this.#turn + 1) % this.#leaves.length;
      const leaf = this.#leaves[this.#turn];
      if (leaf?.getConnectivityState() === connectivityState.READY) return leaf.getPicker().pick(args);
    }
    return undefined;
  }

  destroy(): void {
    for (const leaf of this.#leaves.splice(0)) leaf.destroy();
  }

  #connect(position: number, options: ChannelOptions): void {
    const helper = experimental.createChildChannelControlHelper(this.#helper, {
      updateState: (state, _, errorMessage) => {
        // It was connected and is no more: a leaf waits to be told to connect again.
        if (state === connectivityState.IDLE) leaf.exitIdle();
        else this.#onChange(errorMessage);
      },
      // The resolver is told of every change, and has nothing to add when it is asked.
      requestReresolution: () => {},
    });
    const own = position === 0 ? options : { ...options, [CONNECTION_OPTION]: position };
    const leaf: Leaf = new experimental.LeafLoadBalancer(this.#endpoint, helper, own, '');
    this.#leaves.push(leaf);
    leaf.startConnecting();
  }
}
