import { createHash } from 'node:crypto';

/** The seed of this run: `npm run chaos` sets a new one each time, or the one it was given. Otherwise always the same, so that what turns a run red is the change. */
export function seedOfRun(): string {
  return process.env['CHAOS_SEED'] ?? 'shopmesh';
}

/** `count` of `all`, chosen by the seed. */
export function sample<T>(all: readonly T[], count: number, seed: string, nameOf: (entry: T) => string): T[] {
  const rank = (entry: T): string => createHash('sha256').update(`${seed} ${nameOf(entry)}`).digest('hex');
  return all.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
}
