import type { DestinationReading, EndpointReading } from './destination-reading.ts';

/** From what is said of an instance first to what is said of it last, when its callers do not agree. */
const WORST_FIRST: readonly EndpointReading['state'][] = ['ejected', 'probing', 'slow-start', 'healthy'];

/**
 * How one service does in the eyes of all its callers in this process, each of which has connections and a judgement of
 * its own. Counts add up; an instance is as bad as the worst that is said of it; open says that it is for one of them.
 */
export function sumReadings(service: string, readings: readonly DestinationReading[]): DestinationReading {
  const [only] = readings;
  if (only && readings.length === 1) return only;
  const byId = new Map<string, EndpointReading>();
  for (const endpoint of readings.flatMap(({ endpoints }) => endpoints)) {
    const known = byId.get(endpoint.id);
    byId.set(endpoint.id, known ? sumEndpoints(known, endpoint) : endpoint);
  }
  const sum = (pick: (reading: DestinationReading) => number): number => readings.reduce((total, reading) => total + pick(reading), 0);
  return {
    service,
    open: readings.some(({ open }) => open),
    inFlight: sum(({ inFlight }) => inFlight),
    openings: sum(({ openings }) => openings),
    refused: { circuitOpen: sum(({ refused }) => refused.circuitOpen), tooManyCalls: sum(({ refused }) => refused.tooManyCalls) },
    endpoints: [...byId.values()],
  };
}

function sumEndpoints(one: EndpointReading, other: EndpointReading): EndpointReading {
  return {
    id: one.id,
    zone: one.zone,
    state: WORST_FIRST.find((state) => state === one.state || state === other.state) ?? one.state,
    connected: one.connected || other.connected,
    inFlight: one.inFlight + other.inFlight,
    calls: one.calls + other.calls,
    failures: one.failures + other.failures,
    ejections: one.ejections + other.ejections,
    // Of the one that has called it more.
    latencyMs: one.calls >= other.calls ? (one.latencyMs ?? other.latencyMs) : (other.latencyMs ?? one.latencyMs),
  };
}
