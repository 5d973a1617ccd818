import type { Guard } from '../../shop/faults/guards.ts';
import { type Draw, type Happening, happeningsOf, kafkaHappeningsOf } from './happenings.ts';
import type { KillPoint } from './survey.ts';

/** What a shop goes through that must stay whole. */
export interface Row {
  /** As `--only` takes it. */
  readonly name: string;
  /** Said of orders. */
  readonly must: string;
  readonly kills: { readonly quick: number; readonly full: number };
  /** Kills in one shop: a run of ten minutes that says nothing is taken for one that hangs. */
  readonly killsInShop: number;
  readonly plan: (draw: Draw) => readonly Happening[];
  readonly isOnKafka?: boolean;
  readonly cardsMisbehave?: boolean;
}

/** What a shop goes through that does not stay whole without a guard. */
export interface GuardRow {
  readonly name: string;
  readonly guard: Guard;
  readonly plan: (seed: number, points: readonly KillPoint[]) => readonly Happening[];
  /** What the guard prevents, as a finding says it: others may be of a machine that is too slow. */
  readonly shows: RegExp;
  /** Default 2. */
  readonly atOnce?: number;
}

const OF_EVENTS = /publish|deliver|effect|commit/;

export const ROWS: readonly Row[] = [
  { name: 'kills', must: 'are whole, each paid for once and told of once, wherever a process dies', kills: { quick: 110, full: 700 }, killsInShop: 120, plan: happeningsOf },
  {
    name: 'cards',
    must: 'are whole also while the card company loses answers, answers late, twice, out of order or not at all',
    kills: { quick: 74, full: 200 },
    killsInShop: 100,
    plan: happeningsOf,
    cardsMisbehave: true,
  },
  {
    name: 'kafka',
    must: 'are whole also while their events are on Kafka, and its broker is stopped and killed',
    kills: { quick: 16, full: 100 },
    killsInShop: 25,
    plan: ({ points, ...draw }) => kafkaHappeningsOf({ ...draw, points: points.filter(({ point }) => OF_EVENTS.test(point)) }),
    isOnKafka: true,
  },
];

/** Enough for a guard that is off to show; nobody counts them. */
const KILLS = 60;
const LATE_VERDICTS = 4;

const killsAt = (where: RegExp): GuardRow['plan'] => (seed, points) => {
  const found = points.filter(({ point }) => where.test(point));
  return happeningsOf({ seed, points: found, from: 0, kills: KILLS });
};

export const GUARD_ROWS: readonly GuardRow[] = [
  // One after another: two at once would hold up both instances, and nobody would take over.
  { name: 'without-fence', guard: 'fence', atOnce: 1, shows: /captures|which process .* holds|went back/, plan: () => Array.from({ length: LATE_VERDICTS }, () => ({ kind: 'late verdict' })) },
  { name: 'without-inbox', guard: 'inbox', shows: /had its effect \d+ times/, plan: killsAt(/^after (effect|publish)/) },
  { name: 'without-key-claim', guard: 'key claim', shows: /was placed for a request that has another/, plan: killsAt(/^(answer PlaceOrder|after commit order\.place)$/) },
];

/** Whether `--only` asks for it; an empty text asks for all. Throws for a name that is none. */
export function isAskedFor(name: string, only: string): boolean {
  const names = [...ROWS, ...GUARD_ROWS].map((row) => row.name);
  const asked = only === '' ? names : only.split(',');
  const unknown = asked.find((one) => !names.includes(one));
  if (unknown !== undefined) throw new Error(`there is no row ${unknown}; there are: ${names.join(', ')}`);
  return asked.includes(name);
}

/** A row's kills shop by shop. `from`: how many of the sequence other rows have had. */
export function partsOf({ kills, killsInShop }: Row, size: keyof Row['kills'], from: number): readonly Pick<Draw, 'from' | 'kills'>[] {
  const parts = Math.ceil(kills[size] / killsInShop);
  return Array.from({ length: parts }, (_, part) => ({ from: from + part * killsInShop, kills: Math.min(killsInShop, kills[size] - part * killsInShop) }));
}
