import { type MeshError, refusal } from '#kit';

/** A call that finds nobody may come back this soon: an instance that restarts is connected to again within 100 ms to 1 s. */
const SOON_MS = 200;

/** Where instances are registered and do not pass their check, another one would most often fare no better. */
export function noInstanceInWords(service: string): string {
  return `no healthy instance of ${service} is registered; try again in a moment, \`npx mesh doctor\` says why, \`npx mesh serve ${service}\` starts one`;
}

export function noInstance(service: string): MeshError {
  return refusal('NO_INSTANCE', noInstanceInWords(service), { retry: { kind: 'not-started', afterMs: SOON_MS } });
}

/** `why` is what the last attempt to connect ended with. */
export function unreachable(service: string, why: string): MeshError {
  return refusal('UNREACHABLE', `${service} could not be reached: ${why}`, { retry: { kind: 'not-started', afterMs: SOON_MS } });
}

export function circuitOpen(service: string, retryInMs: number): MeshError {
  const message = `every instance of ${service} fails, so it is not called for now; it is tried again in ${retryInMs} ms: try again then`;
  return refusal('CIRCUIT_OPEN', message, { metadata: { retryInMs: `${retryInMs}` }, retry: { kind: 'not-started', afterMs: retryInMs } });
}

/** Not to be tried again: more attempts are what there is too much of. */
export function tooManyCalls(service: string, max: number): MeshError {
  const message = `${max} calls to ${service} are on their way from this process, which is all that may be; call it less, or raise circuit.maxInFlight`;
  return refusal('TOO_MANY_CALLS', message, { retry: { kind: 'never' } });
}
