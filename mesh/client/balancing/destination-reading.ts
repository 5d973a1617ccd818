import type { Endpoint, EndpointState } from './endpoint.ts';

/** How one instance does, as one calling process sees it. Counted since it was listed. */
export interface EndpointReading {
  readonly id: string;
  readonly zone: string;
  readonly state: EndpointState['kind'];
  readonly connected: boolean;
  readonly inFlight: number;
  /** Calls that have ended, and those of them that were its fault. */
  readonly calls: number;
  readonly failures: number;
  /** How often it was left out. */
  readonly ejections: number;
  /** Half of its answers took no longer; undefined while it has had too few calls to be judged. */
  readonly latencyMs: number | undefined;
}

/** How one service does, as one calling process sees it. */
export interface DestinationReading {
  readonly service: string;
  /** No instance may be called: calls fail at once. */
  readonly open: boolean;
  readonly inFlight: number;
  /** How often it has opened. */
  readonly openings: number;
  /** Calls that were refused here, by reason. */
  readonly refused: { readonly circuitOpen: number; readonly tooManyCalls: number };
  readonly endpoints: readonly EndpointReading[];
}

export function readEndpoint({ id, instance, state, connected, inFlight, calls, failures, ejections, figures }: Endpoint): EndpointReading {
  const { zone } = instance;
  return { id, zone, state: state.kind, connected, inFlight: inFlight.count, calls, failures, ejections, latencyMs: figures?.medianMs };
}
