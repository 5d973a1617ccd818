import { timestampMs } from '@bufbuild/protobuf/wkt';

import { type Code, CODES } from '#kit';
import type { AdmissionFigures, CalledInstance, CalledService, OrderedFault } from '#mesh';
import { type ActiveFault, type AdmissionState, type DestinationState, EndpointState, type GetInstanceResponse } from '#proto/mesh/v1/instance_pb.js';

import { type GuardFacts, guardFacts } from './guard-facts.ts';

/** What an instance says of the mechanisms that its calls go through. */
export interface RuntimeFacts {
  readonly faultsAllowed: boolean;
  /** In force in its service. */
  readonly faults: readonly FaultFacts[];
  /** Undefined where every call is taken. */
  readonly admission?: AdmissionFigures;
  /** The services that its process calls. */
  readonly destinations: readonly DestinationFacts[];
  /** Undefined where everybody may call. */
  readonly guard?: GuardFacts;
}

export type FaultFacts = Omit<OrderedFault, 'service' | 'reason'>;

export interface DestinationFacts extends Omit<CalledService, 'endpoints'> {
  readonly endpoints: readonly EndpointFacts[];
}

export interface EndpointFacts extends Omit<CalledInstance, 'state'> {
  /** A newer instance may know states that this program does not. */
  readonly state: CalledInstance['state'] | 'unknown';
}

const STATES: Readonly<Record<EndpointState, EndpointFacts['state']>> = {
  [EndpointState.UNSPECIFIED]: 'unknown',
  [EndpointState.HEALTHY]: 'healthy',
  [EndpointState.SLOW_START]: 'slow-start',
  [EndpointState.EJECTED]: 'ejected',
  [EndpointState.PROBING]: 'probing',
};

export function runtimeFacts({ faultsAllowed, faults, admission, destinations, guard }: GetInstanceResponse): RuntimeFacts {
  return {
    faultsAllowed,
    faults: faults.map(faultFacts),
    ...(admission && { admission: admissionFacts(admission) }),
    destinations: destinations.map(destinationFacts),
    ...(guard && { guard: guardFacts(guard) }),
  };
}

function faultFacts({ method, percent, delayMs, abort, expireTime, owner }: ActiveFault): FaultFacts {
  return {
    method: method || undefined,
    ...{ percent, delayMs, owner },
    // The number of OK stands for none.
    abort: abort === 0 ? undefined : (CODES[abort] as Code),
    untilMs: expireTime ? timestampMs(expireTime) : 0,
  };
}

function admissionFacts({ limit, inFlight, queued, shed }: AdmissionState): AdmissionFigures {
  return { limit, inFlight, queued, shed: Number(shed) };
}

function destinationFacts({ service, open, inFlight, endpoints, retries, hedges, refusedByBudget }: DestinationState): DestinationFacts {
  return {
    ...{ service, open, inFlight },
    ...{ retries: Number(retries), hedges: Number(hedges), refusedByBudget: Number(refusedByBudget) },
    endpoints: endpoints.map(({ instanceId, state, inFlight: here, calls, failures, ejections }) => ({
      id: instanceId,
      state: STATES[state] ?? 'unknown',
      inFlight: here,
      ...{ calls: Number(calls), failures: Number(failures), ejections: Number(ejections) },
    })),
  };
}
