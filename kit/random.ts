import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

import type { Clock } from './clock.ts';

/** Where randomness comes from. Passed in, so that a test can rule it. */
export interface Random {
  /** A number in [0, 1). */
  number(): number;
  /** Random bytes, for ids and keys. */
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = {
  number: () => Math.random(),
  bytes: (count) => randomFillSync(new Uint8Array(count)),
};

/** A UUIDv7 (RFC 9562): sorts by time of creation, so it is kind to B-tree indexes. */
export function newId(clock: Clock, random: Random): string {
  return v7({ msecs: clock.now(), random: random.bytes(16) });
}

/** `ms` spread evenly over ±20 %, so that many waiters do not wake together (100 gives 80 to 120). */
export function jitter(ms: number, random: Random): number {
  return ms * (0.8 + 0.4 * random.number());
}

/** Backoff before attempt `attempt` (from 1): doubles from `baseMs` up to `maxMs`, jittered (base 100: about 100, 200, 400 ms). */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: Random): number {
  return jitter(Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30)), random);
}
