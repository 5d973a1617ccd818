import fc from 'fast-check';

import type { ModuleName } from '#modules';

import type { KillPoint } from './survey.ts';

/** Something that goes wrong once. */
export type Happening =
  /** The next process of a service that gets there dies there. */
  | { readonly kind: 'kill'; readonly at: KillPoint }
  | { readonly kind: 'kill Postgres' }
  /** An instance gets no time for longer than its sagas wait for it, and goes on then. */
  | { readonly kind: 'stall'; readonly service: ModuleName; readonly drawn: number }
  /** The next process that gets there does: others take over what it is about to write. */
  | { readonly kind: 'stall at'; readonly at: KillPoint };

/** After so many kills Postgres dies, and one instance stands still. */
const DISASTER_EVERY = 25;
/** Every so many kills a process stands still where it is about to write down what a step did. */
const STALL_EVERY = 10;
const STALLED: readonly ModuleName[] = ['order', 'payment', 'inventory'];

/** So many kills, every point as often as every other, in an order that the seed decides; disasters in between. */
export function happeningsOf(seed: number, points: readonly KillPoint[], kills: number): readonly Happening[] {
  const [order] = fc.sample(fc.shuffledSubarray(Array.from({ length: kills }, (_, index) => index), { minLength: kills }), { seed, numRuns: 1 });
  const happenings: Happening[] = [];
  for (const [turn, index] of (order ?? []).entries()) {
    const at = points[index % points.length];
    if (at) happenings.push({ kind: 'kill', at });
    if (turn % STALL_EVERY === STALL_EVERY - 1) happenings.push({ kind: 'stall at', at: { service: 'order', point: WRITING[turn % WRITING.length] ?? '' } });
    if (turn % DISASTER_EVERY === DISASTER_EVERY - 1) {
      happenings.push({ kind: 'kill Postgres' });
      happenings.push({ kind: 'stall', service: STALLED[Math.floor(turn / DISASTER_EVERY) % STALLED.length] ?? 'order', drawn: turn });
    }
  }
  return happenings;
}

/** Where the saga of an order is about to be written. */
const WRITING = ['before record confirm', 'before record schedule shipment', 'before record cancel shipment', 'before record end'] as const;

export function nameOfHappening(happening: Happening): string {
  switch (happening.kind) {
    case 'kill':
      return `${happening.at.service} dies at "${happening.at.point}"`;
    case 'kill Postgres':
      return 'Postgres dies';
    case 'stall at':
      return `${happening.at.service} stands still at "${happening.at.point}"`;
    case 'stall':
      return `an instance of ${happening.service} stands still`;
  }
}
