import { createHash } from 'node:crypto';

/** The seed of this run: `npm run chaos -- … --seed 7` sets it; otherwise today's, so that a week of runs sees more than one does. */
export function seedOfRun(): string {
  return process.env['CHAOS_SEED'] ?? new Date().toISOString().slice(0, 10);
}

/** `count` of `all`, chosen by the seed. */
export function sample<T>(all: readonly T[], count: number, seed: string, nameOf: (entry: T) => string): T[] {
  const rank = (entry: T): string => createHash('sha256').update(`${seed} ${nameOf(entry)}`).digest('hex');
  return all.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
}
