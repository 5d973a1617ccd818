import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';

import { CODES } from '#kit';
import { EndpointState, type GetInstanceResponseSchema } from '#proto/mesh/v1/instance_pb.js';

import type { CalledInstanceState, CalledService } from '../called-service.ts';
import type { GuardState } from '../intentions/guard-state.ts';
import type { OrderedFault } from '../policy/fault.ts';
import { toGuard } from './guard-answer.ts';

/** What an instance says of its process's runtime, beside the calls it has served. */
export interface RuntimeState {
  readonly faultsAllowed: boolean;
  /** In force in the service now. */
  readonly faults: readonly OrderedFault[];
  /** Undefined where every call is taken. */
  readonly admission: AdmissionFigures | undefined;
  /** Of the process, whichever of its services calls. */
  readonly destinations: readonly CalledService[];
  /** Undefined where everybody may call. */
  readonly guard?: GuardState | undefined;
}

/** Calls that a server works on, and what became of the others. */
export interface AdmissionFigures {
  readonly limit: number;
  readonly inFlight: number;
  readonly queued: number;
  /** Turned away since the process started. */
  readonly shed: number;
}

const STATES: Readonly<Record<CalledInstanceState, EndpointState>> = {
  healthy: EndpointState.HEALTHY,
  'slow-start': EndpointState.SLOW_START,
  ejected: EndpointState.EJECTED,
  probing: EndpointState.PROBING,
};

/** The runtime's part of what `GetInstance` answers. */
export function toRuntimeFields({ faultsAllowed, faults, admission, destinations, guard }: RuntimeState): MessageInitShape<typeof GetInstanceResponseSchema> {
  return {
    faultsAllowed,
    faults: faults.map(({ method = '', percent, delayMs, abort, untilMs, owner }) => ({
      ...{ method, percent, delayMs, owner },
      abort: CODES.indexOf(abort ?? 'OK'),
      expireTime: timestampFromMs(untilMs),
    })),
    ...(admission && { admission: toAdmission(admission) }),
    destinations: destinations.map(toDestination),
    ...(guard && { guard: toGuard(guard) }),
  };
}

/** A limit that adapts moves in fractions; what counts is how many whole calls fit. */
function toAdmission({ limit, inFlight, queued, shed }: AdmissionFigures) {
  return { limit: Math.floor(limit), inFlight, queued, shed: BigInt(shed) };
}

function toDestination({ service, open, inFlight, endpoints, retries, hedges, refusedByBudget }: CalledService) {
  return {
    ...{ service, open, inFlight },
    ...{ retries: BigInt(retries), hedges: BigInt(hedges), refusedByBudget: BigInt(refusedByBudget) },
    endpoints: endpoints.map(({ id, state, inFlight: here, calls, failures, ejections }) => ({
      instanceId: id,
      state: STATES[state],
      inFlight: here,
      ...{ calls: BigInt(calls), failures: BigInt(failures), ejections: BigInt(ejections) },
    })),
  };
}
