import type { Metadata, status } from '@grpc/grpc-js';

import type { Instance } from '#discovery';
import type { Clock, Log, MeshError, Random } from '#kit';

import type { DestinationPolicy, Live } from '../../policy/call-policy.ts';
import type { Attempt } from '../attempt.ts';
import { outcomeOf } from './call-outcome.ts';
import { type DestinationReading, readEndpoint } from './destination-reading.ts';
import { Ejections } from './ejections.ts';
import { Endpoint } from './endpoint.ts';
import { InFlight, LoopTurns } from './in-flight.ts';
import { circuitOpen, noInstance, tooManyCalls, unreachable } from './refusals.ts';
import { Selection } from './selection.ts';

export interface DestinationOptions {
  readonly policy: Live<DestinationPolicy>;
  readonly clock: Clock;
  readonly random: Random;
  /** The caller's own zone; empty: none is preferred. */
  readonly zone: string;
  readonly log: Log;
}

/** A call that has been given its instance. */
export interface SentCall {
  readonly endpoint: Endpoint;
  /** Whether it finds out if the instance is well again. */
  readonly probe: boolean;
  /** Whether its length is its reader's. */
  readonly stream: boolean;
}

/**
 * One service as one process calls it: its instances, how they do, and which of them gets a call. There is one for each
 * service, for one channel at a time; it outlives the channel's connections, so what was learnt is not forgotten.
 */
export interface Destination {
  readonly service: string;
  /** Whether there are several instances to choose from now: listed, connected and not left out. */
  readonly hasOthers: boolean;
  /** HTTP/2 connections to make to each instance. */
  readonly connectionsPerInstance: number;
  /** Who is listed from now on. Those that were listed before keep what is known of them. */
  update(instances: Iterable<Instance>): void;
  /** Whether an instance can be reached. */
  setConnected(id: string, connected: boolean): void;
  /** The instance for a call, or why there is none: CIRCUIT_OPEN, TOO_MANY_CALLS, NO_INSTANCE, UNREACHABLE. */
  pick(attempt: Attempt | undefined): SentCall | MeshError;
  /** The call is on its way. Returns when that was. */
  started(call: SentCall): number;
  /** The call is over, for whatever reason. Once for each that started. */
  ended(call: SentCall, startedAtMs: number, code: status, details: string, trailers: Metadata): void;
  /** Plain numbers, cheap enough to be read at any time. */
  read(): DestinationReading;
}

export function createDestination(service: string, options: DestinationOptions): Destination {
  return new BalancedDestination(service, options);
}

const NOBODY: readonly string[] = [];

class BalancedDestination implements Destination {
  readonly service: string;
  readonly #policy: Live<DestinationPolicy>;
  readonly #clock: Clock;
  readonly #turns = new LoopTurns();
  readonly #inFlight = new InFlight(this.#turns);
  readonly #ejections: Ejections;
  readonly #selection: Selection;
  readonly #refused = { circuitOpen: 0, tooManyCalls: 0 };
  #endpoints = new Map<string, Endpoint>();

  constructor(service: string, { policy, clock, random, zone, log }: DestinationOptions) {
    this.service = service;
    this.#policy = policy;
    this.#clock = clock;
    this.#selection = new Selection(zone, random);
    this.#ejections = new Ejections({ service, policy, random, log, onChange: () => this.#select(clock.now()) });
  }

  get hasOthers(): boolean {
    return this.#selection.size > 1;
  }

  get connectionsPerInstance(): number {
    return this.#policy.current.balancing.connectionsPerInstance;
  }

  update(instances: Iterable<Instance>): void {
    const known = this.#endpoints;
    this.#endpoints = new Map();
    for (const instance of instances) {
      const endpoint = known.get(instance.id) ?? new Endpoint(instance, known.size > 0, new InFlight(this.#turns));
      endpoint.instance = instance;
      this.#endpoints.set(instance.id, endpoint);
    }
    this.#ejections.update([...this.#endpoints.values()], this.#clock.now());
  }

  setConnected(id: string, connected: boolean): void {
    const endpoint = this.#endpoints.get(id);
    if (!endpoint || endpoint.connected === connected) return;
    const nowMs = this.#clock.now();
    if (connected) endpoint.connect(nowMs);
    else endpoint.connected = false;
    this.#ejections.update([...this.#endpoints.values()], nowMs);
  }

  pick(attempt: Attempt | undefined): SentCall | MeshError {
    const { balancing, circuit } = this.#policy.current;
    if (this.#inFlight.load >= circuit.maxInFlight) {
      this.#refused.tooManyCalls += 1;
      return tooManyCalls(this.service, circuit.maxInFlight);
    }
    const nowMs = this.#clock.now();
    this.#ejections.followPolicy(nowMs);
    if (attempt?.stream) this.#ejections.readmitUntried(nowMs);
    const probed = this.#ejections.findProbe(nowMs, attempt);
    if (probed) {
      probed.probe(nowMs);
      return this.#send(probed, true, attempt);
    }
    if (this.#ejections.isOpen) {
      this.#refused.circuitOpen += 1;
      return circuitOpen(this.service, this.#ejections.retryInMs(nowMs));
    }
    if (this.#selection.isStale(balancing, nowMs)) this.#select(nowMs);
    const endpoint = this.#selection.pick(attempt?.avoid ?? NOBODY, nowMs);
    return endpoint ? this.#send(endpoint, false, attempt) : this.#nobody();
  }

  started({ endpoint, probe }: SentCall): number {
    this.#inFlight.started();
    endpoint.inFlight.started();
    const nowMs = this.#clock.now();
    if (probe) endpoint.probeBegun(nowMs);
    return nowMs;
  }

  ended({ endpoint, probe, stream }: SentCall, startedAtMs: number, code: status, details: string, trailers: Metadata): void {
    this.#inFlight.ended();
    endpoint.inFlight.ended();
    const nowMs = this.#clock.now();
    const ms = Math.max(0, nowMs - startedAtMs);
    const timedMs = stream ? undefined : ms;
    const outcome = outcomeOf(code, details, trailers, timedMs, this.#ejections.patience);
    endpoint.ended(outcome, timedMs, nowMs);
    if (probe) this.#ejections.probed(endpoint, outcome, ms, nowMs);
    else this.#ejections.called(endpoint, nowMs);
  }

  read(): DestinationReading {
    const { isOpen: open, openings } = this.#ejections;
    const endpoints = [...this.#endpoints.values()].map(readEndpoint);
    return { service: this.service, open, inFlight: this.#inFlight.count, openings, refused: { ...this.#refused }, endpoints };
  }

  #send(endpoint: Endpoint, probe: boolean, attempt: Attempt | undefined): SentCall {
    this.#inFlight.sent();
    endpoint.inFlight.sent();
    if (attempt) attempt.instance = endpoint.id;
    return { endpoint, probe, stream: attempt?.stream ?? false };
  }

  /** Where nothing is ever open, those left out are called when there is nobody else. */
  #select(nowMs: number): void {
    const { balancing, circuit } = this.#policy.current;
    const reachable = [...this.#endpoints.values()].filter(({ connected }) => connected);
    const able = reachable.filter(({ isIn }) => isIn);
    this.#selection.update(able.length > 0 || circuit.enabled ? able : reachable, balancing, nowMs);
  }

  #nobody(): MeshError {
    if (this.#endpoints.size === 0) return noInstance(this.service);
    return unreachable(this.service, 'no connection to any of its instances is up');
  }
}
