import type { Clock, Random } from '#kit';

import type { Faults } from './faults.ts';
import { seededNumbers } from './seeded-numbers.ts';

/** What happens to a request before it is carried out. */
export type Admission = 'admitted' | 'unavailable' | 'cut';

/** What happens to an answer on its way back. */
export interface AnswerFate {
  readonly lateMs: number;
  readonly isLost: boolean;
}

/** How often an event is delivered, and how much later than it could be. */
export interface DeliveryPlan {
  readonly deliveries: 1 | 2;
  readonly delayMs: number;
}

/** Rolls the dice of the faults that are set. */
export interface Misbehaviour {
  /** Replaces all faults, and ends an outage. */
  set(faults: Faults): void;
  admit(): Admission;
  answer(): AnswerFate;
  delivery(): DeliveryPlan;
}

const DOWN_MS = 1_000;
const HELD_BACK_MS = 2_000;

export function createMisbehaviour({ clock, random }: { readonly clock: Clock; readonly random: Random }, initial: Faults): Misbehaviour {
  let faults: Faults = {};
  let draw: () => number = random.number;
  let downUntilMs = 0;

  function set(wanted: Faults): void {
    faults = wanted;
    draw = wanted.seed === undefined ? random.number : seededNumbers(wanted.seed);
    downUntilMs = 0;
  }

  /** Rolls only for what is set, so that a seed means the same whatever else is. */
  function happens(percent: number | undefined): boolean {
    return percent !== undefined && percent > 0 && draw() * 100 < percent;
  }

  set(initial);
  return {
    set,
    admit() {
      const isDown = clock.now() < downUntilMs;
      if (!isDown && !happens(faults.down?.percent)) return 'admitted';
      if (!isDown) downUntilMs = clock.now() + (faults.down?.ms ?? DOWN_MS);
      return draw() < 0.5 ? 'unavailable' : 'cut';
    },
    answer: () => ({ lateMs: happens(faults.late?.percent) ? (faults.late?.ms ?? 0) : 0, isLost: happens(faults.loseAnswer) }),
    delivery: () => ({
      deliveries: happens(faults.twice) ? 2 : 1,
      delayMs: happens(faults.outOfOrder) ? draw() * HELD_BACK_MS : 0,
    }),
  };
}
