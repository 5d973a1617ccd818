import { type ChannelOptions, connectivityState, experimental } from '@grpc/grpc-js';

import type { InstanceEndpoint } from '#discovery';

import { timerSchedule } from '../schedule.ts';

type Leaf = experimental.LeafLoadBalancer;

/** Sets a connection apart from the others to the same address, which grpc-js would share. */
const CONNECTION_OPTION = 'shopmesh.connection';

/** Is told that a connection came up or was lost, and why none could be made. */
type OnChange = (errorMessage: string | null) => void;

type LeafOnChange = (errorMessage: string | null, leaf: Leaf) => void;

/** One of the connections to an instance. */
interface Slot {
  leaf: Leaf;
  /** What is to take its place as soon as it is up, or is known not to come up. */
  successor: Leaf | undefined;
}

/** The connections to one instance: made at once, made again when they are lost, and used in turn. */
export class InstanceConnections {
  /** Where the instance is: another one needs other connections. */
  readonly address: string;
  readonly #endpoint: InstanceEndpoint;
  readonly #helper: experimental.ChannelControlHelper;
  readonly #onChange: OnChange;
  readonly #limitMs: number;
  /** Those that are being made, and how to wait for them no longer. */
  readonly #awaited = new Map<Leaf, () => void>();
  /** Those that are being made for too long. They may still come up: it costs nothing to let them, and grpc-js has no way to give them up. */
  readonly #late = new Set<Leaf>();
  #slots: Slot[] = [];
  #cancelRenewal: (() => void) | undefined;
  #turn = 0;
  #renewals = 0;

  /** @param limitMs how long a connection may take to come up before it counts as one that cannot be made: grpc-js waits for ever for a peer that says nothing */
  constructor(endpoint: InstanceEndpoint, helper: experimental.ChannelControlHelper, onChange: OnChange, limitMs: number) {
    this.address = experimental.endpointToString(endpoint);
    this.#endpoint = endpoint;
    this.#helper = helper;
    this.#onChange = onChange;
    this.#limitMs = limitMs;
  }

  /** READY when one connection is up, TRANSIENT_FAILURE when none could be made, else CONNECTING. */
  get state(): connectivityState {
    const states = this.#slots.map(({ leaf }) => this.#stateOf(leaf));
    if (states.includes(connectivityState.READY)) return connectivityState.READY;
    const failed = states.every((state) => state === connectivityState.TRANSIENT_FAILURE);
    return failed ? connectivityState.TRANSIENT_FAILURE : connectivityState.CONNECTING;
  }

  /** Makes so many connections, or ends those that are too many. What is connected stays so. */
  resize(count: number, options: ChannelOptions): void {
    for (const slot of this.#slots.splice(count)) this.#end(slot);
    while (this.#slots.length < count) {
      const leaf = this.#open(this.#optionsAt(this.#slots.length, options), (errorMessage) => this.#onChange(errorMessage));
      this.#slots.push({ leaf, successor: undefined });
      leaf.startConnecting();
    }
  }

  /**
   * Makes every connection anew after so long. The one before goes on until then; its calls finish. It also goes when there
   * can be no new one, or none comes up in time: whoever is there would not be connected to today.
   */
  renew(options: ChannelOptions, afterMs: number): void {
    this.#cancelRenewal ??= timerSchedule(afterMs, () => this.#renewNow(options));
  }

  /** The next connection that is up. */
  pick(args: experimental.PickArgs): experimental.PickResult | undefined {
    for (let tried = 0; tried < this.#slots.length; tried += 1) {
      this.#turn = (this.#turn + 1) % this.#slots.length;
      const leaf = this.#slots[this.#turn]?.leaf;
      if (leaf?.getConnectivityState() === connectivityState.READY) return leaf.getPicker().pick(args);
    }
    return undefined;
  }

  destroy(): void {
    this.#cancelRenewal?.();
    for (const slot of this.#slots.splice(0)) this.#end(slot);
  }

  #renewNow(options: ChannelOptions): void {
    this.#cancelRenewal = undefined;
    this.#renewals += 1;
    for (const [position, slot] of this.#slots.entries()) {
      if (slot.successor) this.#leave(slot.successor);
      slot.successor = this.#open(this.#optionsAt(position, options), (errorMessage, leaf) => this.#succeed(slot, leaf, errorMessage));
      slot.successor.startConnecting();
    }
  }

  #succeed(slot: Slot, successor: Leaf, errorMessage: string | null): void {
    if (slot.leaf === successor) return this.#onChange(errorMessage);
    const state = this.#stateOf(successor);
    const isDecided = state === connectivityState.READY || state === connectivityState.TRANSIENT_FAILURE;
    if (slot.successor !== successor || !isDecided) return;
    const before = slot.leaf;
    slot.leaf = successor;
    slot.successor = undefined;
    this.#leave(before);
    this.#onChange(errorMessage);
  }

  #optionsAt(position: number, options: ChannelOptions): ChannelOptions {
    const isFirst = position === 0 && this.#renewals === 0;
    return isFirst ? options : { ...options, [CONNECTION_OPTION]: `${position}.${this.#renewals}` };
  }

  /** Not told to connect yet: where the channel has a connection to share, `onChange` is called within `startConnecting`, and must find the leaf in its place. */
  #open(options: ChannelOptions, onChange: LeafOnChange): Leaf {
    const helper = experimental.createChildChannelControlHelper(this.#helper, {
      updateState: (state, _, errorMessage) => {
        this.#await(leaf, state, onChange);
        // It was connected and is no more: a leaf waits to be told to connect again.
        if (state === connectivityState.IDLE) leaf.exitIdle();
        else onChange(errorMessage, leaf);
      },
      // The resolver is told of every change, and has nothing to add when it is asked.
      requestReresolution: () => {},
    });
    const leaf: Leaf = new experimental.LeafLoadBalancer(this.#endpoint, helper, options, '');
    return leaf;
  }

  #await(leaf: Leaf, state: connectivityState, onChange: LeafOnChange): void {
    if (state !== connectivityState.CONNECTING) return this.#forget(leaf);
    if (this.#awaited.has(leaf) || this.#late.has(leaf)) return;
    const giveUp = (): void => {
      this.#awaited.delete(leaf);
      this.#late.add(leaf);
      onChange(`no connection came up within ${this.#limitMs} ms`, leaf);
    };
    this.#awaited.set(leaf, timerSchedule(this.#limitMs, giveUp));
  }

  #forget(leaf: Leaf): void {
    this.#awaited.get(leaf)?.();
    this.#awaited.delete(leaf);
    this.#late.delete(leaf);
  }

  #stateOf(leaf: Leaf): connectivityState {
    return this.#late.has(leaf) ? connectivityState.TRANSIENT_FAILURE : leaf.getConnectivityState();
  }

  #leave(leaf: Leaf): void {
    this.#forget(leaf);
    leaf.destroy();
  }

  #end({ leaf, successor }: Slot): void {
    this.#leave(leaf);
    if (successor) this.#leave(successor);
  }
}
