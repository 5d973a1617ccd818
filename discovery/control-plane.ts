import type { MeshError, Stoppable } from '#kit';

import type { Certificates } from './certificate.ts';
import type { IntentionStore } from './intention.ts';

/** One running copy of a service, as the control plane knows it. */
export interface Instance {
  /** Unique in the mesh; see `newInstanceId`. */
  readonly id: string;
  readonly service: string;
  /** IP address or host name that other processes reach it by. */
  readonly address: string;
  readonly port: number;
  readonly version: string;
  readonly zone: string;
  /** Share of the calls against the other instances of the service; 1 or more. */
  readonly weight: number;
  /** What else the instance announced, such as the port of its mTLS listener. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a process announces about one service that it serves. */
export interface Registration {
  readonly service: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly version: string;
  readonly zone: string;
  /** Default 1. */
  readonly weight?: number;
  /** Keys of `[A-Za-z0-9_-]`; `version` and `zone` are taken. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The name that the control plane asks `grpc.health.v1.Health` for; empty asks for the server as a whole. */
  readonly healthService: string;
  /** Whether the port takes TLS only: then it is asked for its health over TLS too, without a certificate of the one who asks. Default false. */
  readonly tls?: boolean;
}

/** Gets what a watch learns. Never called from inside the call that started the watch. */
export interface InstanceListener {
  /** The healthy instances, whenever they change. An empty list is certain: there is none. */
  onInstances(instances: readonly Instance[]): void;
  /** The control plane could not be asked. What was heard last still holds. */
  onError(error: MeshError): void;
}

export interface InstanceHealth extends Instance {
  readonly healthy: boolean;
}

/** A document that operators change while the mesh runs. */
export interface Policy {
  readonly key: string;
  readonly value: string;
  /** Changes with each write; give it to `put` or `delete` to change only what was read. */
  readonly index: number;
}

/** As {@link InstanceListener}, for every policy under a prefix. */
export interface PolicyListener {
  onPolicies(policies: readonly Policy[]): void;
  onError(error: MeshError): void;
}

export interface PolicyStore {
  get(key: string, signal?: AbortSignal): Promise<Policy | undefined>;
  /**
   * Writes a policy. With `expectedIndex` only if the policy still has that index
   * (0: only if there is none); false says that it has not, and nothing was written.
   */
  put(key: string, value: string, expectedIndex?: number, signal?: AbortSignal): Promise<boolean>;
  /**
   * Deletes a policy; what is not there counts as deleted. With `expectedIndex` only
   * if the policy still has that index; false says that it has not, and is still there.
   */
  delete(key: string, expectedIndex?: number, signal?: AbortSignal): Promise<boolean>;
  /** Watches every policy whose key starts with `prefix`. */
  watch(prefix: string, listener: PolicyListener): Stoppable;
}

/**
 * Where the mesh learns who is there and what operators want. `stop()` withdraws
 * what is still registered and leaves no socket or timer behind. Every method
 * fails with CONTROL_PLANE_UNAVAILABLE when there is nobody to ask.
 */
export interface ControlPlane extends Stoppable {
  /**
   * Announces an instance, as healthy: call it when the instance serves. It stays
   * announced, also when the control plane loses its memory, until `stop()`,
   * which withdraws it and does not fail.
   */
  register(registration: Registration): Promise<Stoppable>;
  /** Watches the healthy instances of a service. Listeners of one service share one watch. */
  watchInstances(service: string, listener: InstanceListener): Stoppable;
  /** Every instance of every service of the mesh, healthy or not, sorted by service and id. */
  listInstances(signal?: AbortSignal): Promise<readonly InstanceHealth[]>;
  readonly policies: PolicyStore;
  readonly intentions: IntentionStore;
  readonly certificates: Certificates;
}
