import { createNoopMeter, type Meter } from '@opentelemetry/api';

import type { ClientInstruments } from '../client/client-instruments.ts';
import type { Method } from '../method.ts';
import type { ServerInstruments } from '../server/server-instruments.ts';
import { watchAdmission } from './admission.ts';
import { type CertificateFigures, watchCertificates } from './certificates.ts';
import { createClientAttempts } from './client-attempts.ts';
import { createClientCalls } from './client-calls.ts';
import { watchDestinations } from './destinations.ts';
import { watchDoors } from './door.ts';
import type { Stopwatch } from './durations.ts';
import { watchFaults } from './faults.ts';
import { watchGuards } from './guards.ts';
import { serverAttributes } from './method-attributes.ts';
import { createServerCalls } from './server-calls.ts';

/** What a process measures of its calls: links in their chains for what takes time; all else is read off the mechanisms at each collection. */
export interface Instruments extends ClientInstruments, ServerInstruments {
  /** Of the process; `nowMs` is the wall clock's. */
  watchCertificates(read: () => CertificateFigures & { readonly nowMs: number }): void;
  /** Nothing is read any more. Durations of calls that end later are still noted. */
  stop(): void;
}

/**
 * Names, units and buckets are those of gRPC where it has the instrument (gRFC A66, A91, A96), so that dashboards made for
 * other languages fit; what is ours is named `mesh.`, for `grpc.` is gRPC's own (gRFC A79, "Naming Conventions"). gRPC
 * has those of A91 and A96 off until asked for; here a view can leave them out.
 */
export function createInstruments(meter: Meter, stopwatch: Stopwatch): Instruments {
  // The API has one such meter, and hands it out as long as nobody has set up metrics.
  if (meter === createNoopMeter()) return NO_INSTRUMENTS;
  const clientCalls = createClientCalls(meter, stopwatch);
  const clientAttempts = createClientAttempts(meter, stopwatch);
  const serverCalls = createServerCalls(meter, stopwatch);
  const destinations = watchDestinations(meter);
  const admission = watchAdmission(meter);
  const faults = watchFaults(meter);
  const doors = watchDoors(meter);
  const guards = watchGuards(meter);
  const certificates = watchCertificates(meter);
  return {
    clientCall: oncePerMethod((method) => [clientCalls(method)]),
    clientAttempt: oncePerMethod((method) => [clientAttempts.link(method)]),
    serverCall: oncePerMethod((method) => [serverCalls.link(method)]),
    watchDestination: (service, read) => void destinations.add({ 'grpc.target': service }, read),
    watchAdmission: (service, read) => void admission.add({ 'mesh.service': service }, read),
    watchFaults: (method, read) => void faults.add(serverAttributes(method), read),
    watchDoor: (service, kind, read) => doors.add({ 'mesh.service': service, 'mesh.door': kind }, read),
    watchGuard: (service, read) => void guards.add({ 'mesh.service': service }, read),
    watchCertificates: (read) => void certificates.add({}, read),
    stop() {
      for (const { stop } of [clientAttempts, serverCalls, destinations, admission, faults, doors, guards, certificates]) stop();
    },
  };
}

/** The callers in a process have chains of their own and share what is counted. */
function oncePerMethod<T>(make: (method: Method) => T): (method: Method) => T {
  const made = new Map<Method, T>();
  return (method) => {
    const known = made.get(method) ?? make(method);
    made.set(method, known);
    return known;
  };
}

const NO_LINKS: readonly never[] = [];

const NO_INSTRUMENTS: Instruments = {
  clientCall: () => NO_LINKS,
  clientAttempt: () => NO_LINKS,
  serverCall: () => NO_LINKS,
  watchDestination() {},
  watchAdmission() {},
  watchFaults() {},
  watchDoor: () => () => {},
  watchGuard() {},
  watchCertificates() {},
  stop() {},
};
