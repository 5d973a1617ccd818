import { Metadata, status } from '@grpc/grpc-js';

import type { Instance } from '#discovery';
import { MeshError, silentLog } from '#kit';

import type { Attempt } from '../../../../mesh/client/attempt.ts';
import { createDestination, type Destination, type SentCall } from '../../../../mesh/client/balancing/destination.ts';
import type { EndpointReading } from '../../../../mesh/client/balancing/destination-reading.ts';
import type { DestinationPolicy } from '../../../../mesh/policy/call-policy.ts';
import { DESTINATION_DEFAULTS } from '../../../../mesh/policy/defaults.ts';
import { toStatus } from '../../../../mesh/status.ts';
import { instance } from '../../../discovery/support/instances.ts';
import { createRuledClock, type RuledClock } from '../../support/ruled-clock.ts';
import { seededRandom } from './seeded-random.ts';

/** What became of a call. */
export interface Ended {
  readonly code?: status;
  readonly trailers?: Metadata;
  /** How long it took; the clock moves by as much. */
  readonly ms?: number;
}

export interface SimulatedCalls {
  readonly destination: Destination;
  readonly clock: RuledClock;
  /** An operator changes it at any time. */
  readonly policy: { current: DestinationPolicy };
  /** Lists instances, by id where nothing else matters, and connects those that are new. */
  list(...instances: readonly (string | Instance)[]): void;
  /** Sends a call, which stays in flight; `end` ends it. */
  start(attempt?: Attempt): { readonly id: string; readonly probe: boolean; end(ended?: Ended): void } | MeshError;
  /** A whole call, which ends as the instance that got it has it. Returns that one's id, or the reason for which there was none. */
  call(endOf?: (id: string) => Ended, attempt?: Attempt): string;
  /** As many calls, counted by who got them. */
  calls(count: number, endOf?: (id: string) => Ended): Readonly<Record<string, number>>;
  endpoint(id: string): EndpointReading;
  /** Those that are ejected or on probation. */
  out(): readonly string[];
}

/** Parts of the policy that differ from the defaults. */
export type PolicyChange = { readonly [Part in keyof DestinationPolicy]?: Partial<DestinationPolicy[Part]> };

export function policyWith({ budget, balancing, ejection, circuit }: PolicyChange): DestinationPolicy {
  const { budget: b, balancing: l, ejection: e, circuit: c } = DESTINATION_DEFAULTS;
  return { budget: { ...b, ...budget }, balancing: { ...l, ...balancing }, ejection: { ...e, ...ejection }, circuit: { ...c, ...circuit } };
}

/** A destination whose network, clock and luck the test rules. */
export function simulateCalls(change: PolicyChange = {}, { zone = '', seed = 1 } = {}): SimulatedCalls {
  const clock = createRuledClock();
  const policy = { current: policyWith(change) };
  const destination = createDestination('inventory', { policy, clock, random: seededRandom(seed), zone, log: silentLog });

  function start(attempt?: Attempt): ReturnType<SimulatedCalls['start']> {
    const sent = destination.pick(attempt);
    if (sent instanceof MeshError) return sent;
    const startedAtMs = destination.started(sent);
    return { id: sent.endpoint.id, probe: sent.probe, end: (ended = {}) => finish(sent, startedAtMs, ended) };
  }

  function finish(sent: SentCall, startedAtMs: number, { code = status.OK, trailers = new Metadata(), ms = 0 }: Ended): void {
    clock.advance(ms);
    destination.ended(sent, startedAtMs, code, '', trailers);
  }

  function call(endOf: (id: string) => Ended = () => ({}), attempt?: Attempt): string {
    const started = start(attempt);
    if (started instanceof MeshError) return started.reason;
    started.end(endOf(started.id));
    return started.id;
  }

  return {
    destination,
    clock,
    policy,
    list(...instances) {
      const listed = instances.map((one) => (typeof one === 'string' ? instance(one) : one));
      destination.update(listed);
      for (const { id } of listed) destination.setConnected(id, true);
    },
    start,
    call,
    calls(count, endOf) {
      const counts: Record<string, number> = {};
      for (let made = 0; made < count; made += 1) {
        const to = call(endOf);
        counts[to] = (counts[to] ?? 0) + 1;
      }
      return counts;
    },
    endpoint(id) {
      const found = destination.read().endpoints.find((endpoint) => endpoint.id === id);
      if (!found) throw new Error(`${id} is not listed`);
      return found;
    },
    out: () => destination.read().endpoints.flatMap(({ id, state }) => (state === 'ejected' || state === 'probing' ? [id] : [])),
  };
}

/** Ends a call with an error that one of our own servers has answered it with. */
export function answeredWith(error: MeshError): Ended {
  const { code, metadata } = toStatus(error);
  return { code, trailers: metadata };
}

/** Ends calls to these instances as where nobody is. */
export function failing(...ids: readonly string[]): (id: string) => Ended {
  return (id) => (ids.includes(id) ? { code: status.UNAVAILABLE } : {});
}
