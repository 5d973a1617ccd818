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
  | { readonly kind: 'stall at'; readonly at: KillPoint }
  /** A process writes down what was true before it stood still: see late-verdict.ts. */
  | { readonly kind: 'late verdict' }
  /** Kafka's broker is stopped or killed, and started again; a process dies while it is away. */
  | { readonly kind: 'restart Kafka'; readonly by: 'stop' | 'kill'; readonly meanwhile: KillPoint };

/** Kills out of a sequence that goes through all points again and again, each time in another order, which the seed decides. */
export interface Draw {
  readonly seed: number;
  readonly points: readonly KillPoint[];
  /** How many of the sequence come before. */
  readonly from: number;
  readonly kills: number;
}

/** After so many kills Postgres dies, one instance stands still, and one writes late. */
const DISASTER_EVERY = 25;
/** Every so many kills a process stands still where it is about to write down what a step did. */
const STALL_EVERY = 10;
/** After so many kills Kafka's broker goes. */
const BROKER_EVERY = 4;
const STALLED: readonly ModuleName[] = ['order', 'payment', 'inventory'];
/** Where the saga of an order is about to be written. */
const WRITING = ['before record confirm', 'before record schedule shipment', 'before record cancel shipment', 'before record restock'] as const;
/** Nobody gets there while Kafka is away. */
const NEEDS_EVENTS = /publish|deliver|effect|notification/;

/** The kills of a draw, and disasters in between. */
export function happeningsOf(draw: Draw): readonly Happening[] {
  return killsOf(draw).flatMap((at, index) => {
    const turn = draw.from + index;
    const happenings: Happening[] = [{ kind: 'kill', at }];
    if (turn % STALL_EVERY === STALL_EVERY - 1) happenings.push({ kind: 'stall at', at: { service: 'order', point: pick(WRITING, turn / STALL_EVERY) } });
    if (turn % DISASTER_EVERY === DISASTER_EVERY - 1) {
      const disaster = Math.floor(turn / DISASTER_EVERY);
      happenings.push({ kind: 'kill Postgres' }, { kind: 'stall', service: pick(STALLED, disaster), drawn: disaster }, { kind: 'late verdict' });
    }
    return happenings;
  });
}

/** The same for a shop whose events are on Kafka: what goes in between is its broker, by turns in order and by kill -9. */
export function kafkaHappeningsOf(draw: Draw): readonly Happening[] {
  const elsewhere = draw.points.filter(({ service, point }) => !NEEDS_EVENTS.test(`${service} ${point}`));
  const meanwhiles = killsOf({ ...draw, points: elsewhere });
  return killsOf(draw).flatMap((at, index) => {
    const turn = draw.from + index;
    const kill: Happening = { kind: 'kill', at };
    const meanwhile = meanwhiles[index];
    if (turn % BROKER_EVERY !== BROKER_EVERY - 1 || !meanwhile) return [kill];
    return [kill, { kind: 'restart Kafka', by: pick(['stop', 'kill'], turn / BROKER_EVERY), meanwhile }];
  });
}

function killsOf({ seed, points, from, kills }: Draw): readonly KillPoint[] {
  const rounds = points.length === 0 ? 0 : Math.ceil((from + kills) / points.length);
  return Array.from({ length: rounds }, (_, round) => shuffled(points, seed + round)).flat().slice(from, from + kills);
}

function shuffled(points: readonly KillPoint[], seed: number): readonly KillPoint[] {
  const [order = []] = fc.sample(fc.shuffledSubarray([...points], { minLength: points.length }), { seed, numRuns: 1 });
  return order;
}

/** By turns. */
function pick<T>(all: readonly T[], turn: number): T {
  // The index is within, and none of the lists is empty.
  return all[Math.floor(turn) % all.length] as T;
}

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
    case 'late verdict':
      return 'an instance of order writes late what is true no more';
    case 'restart Kafka':
      return `${happening.meanwhile.service} dies at "${happening.meanwhile.point}" while Kafka is away (${happening.by})`;
  }
}
