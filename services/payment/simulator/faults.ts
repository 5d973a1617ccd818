import { MeshError, refusal } from '#kit';

/** How the simulator misbehaves. Percent values are from 0 to 100; what is not named does not happen. */
export interface Faults {
  /** Percent of requests that are carried out and whose answer never comes: the connection closes instead. */
  readonly loseAnswer?: number;
  /** Percent of requests that are carried out at once and answered `ms` later, 60,000 at most. */
  readonly late?: { readonly percent: number; readonly ms: number };
  /** Percent of events that are delivered a second time. */
  readonly twice?: number;
  /** Percent of events that are held back by up to 2 s, so that later ones overtake them. */
  readonly outOfOrder?: number;
  /**
   * Percent of requests with which an outage begins that lasts `ms`, 60,000 at most and 1,000 by default. Meanwhile every
   * request is answered 503 or has its connection closed, half and half, and none is carried out.
   */
  readonly down?: { readonly percent: number; readonly ms?: number };
  /** Makes the same requests in the same order meet the same faults; without it each run is another. */
  readonly seed?: number;
}

const MAX_MS = 60_000;
const MAX_SEED = 2 ** 32 - 1;
const NAMES = ['loseAnswer', 'late', 'twice', 'outOfOrder', 'down', 'seed'];

/** Reads the JSON of MESH_STRIPE_SIMULATOR_FAULTS; empty text means none. Throws INVALID_SETTING. */
export function readFaults(text: string): Faults {
  if (text === '') return {};
  try {
    return requireFaults(JSON.parse(text));
  } catch (thrown) {
    const { message } = thrown instanceof MeshError || thrown instanceof SyntaxError ? thrown : MeshError.from(thrown);
    throw refusal('INVALID_SETTING', `MESH_STRIPE_SIMULATOR_FAULTS cannot be used: ${message}; write it like {"loseAnswer": 10, "late": {"percent": 5, "ms": 3000}}`, { cause: thrown });
  }
}

/** Checks what came from outside TypeScript's sight, bounds and all. Throws INVALID_SETTING. */
export function requireFaults(given: unknown): Faults {
  const faults = requireNames('the faults', given, NAMES);
  const { loseAnswer, late, twice, outOfOrder, down, seed } = faults;
  return {
    ...(loseAnswer !== undefined && { loseAnswer: numberIn('loseAnswer', loseAnswer, 100) }),
    ...(late !== undefined && { late: readLate(late) }),
    ...(twice !== undefined && { twice: numberIn('twice', twice, 100) }),
    ...(outOfOrder !== undefined && { outOfOrder: numberIn('outOfOrder', outOfOrder, 100) }),
    ...(down !== undefined && { down: readDown(down) }),
    ...(seed !== undefined && { seed: numberIn('seed', seed, MAX_SEED) }),
  };
}

function readLate(given: unknown): { percent: number; ms: number } {
  const { percent, ms } = requireNames('late', given, ['percent', 'ms']);
  return { percent: numberIn('late.percent', percent, 100), ms: numberIn('late.ms', ms, MAX_MS) };
}

function readDown(given: unknown): { percent: number; ms?: number } {
  const { percent, ms } = requireNames('down', given, ['percent', 'ms']);
  return { percent: numberIn('down.percent', percent, 100), ...(ms !== undefined && { ms: numberIn('down.ms', ms, MAX_MS) }) };
}

function requireNames(what: string, given: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw refusal('INVALID_SETTING', `${what} must be an object`);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw refusal('INVALID_SETTING', `${what} cannot have ${unknown}, only ${names.join(', ')}`);
  return { ...given };
}

function numberIn(what: string, value: unknown, max: number): number {
  if (typeof value === 'number' && value >= 0 && value <= max) return value;
  throw refusal('INVALID_SETTING', `${what} must be a number from 0 to ${max}`);
}
