import { type End, failureOf, shortageOf } from './shop-model.ts';
import type { Wanted } from './wanted.ts';

/** One way in which orders that are placed at once can end, and what is left then. */
export interface Outcome {
  readonly ends: readonly End[];
  readonly available: readonly (number | undefined)[];
}

/** Stock that is set while the orders are on their way. */
export interface Refill {
  readonly product: number;
  readonly available: number;
  /** How often that was sent, since some answers did not come: it took place once at least. */
  readonly sent: number;
}

/** `waiting`: has reserved nothing yet; `holding`: has, and will fail and give it back. */
type Stage = End | 'waiting' | 'holding';

interface Situation {
  readonly stages: readonly Stage[];
  readonly available: readonly (number | undefined)[];
  /** How often it took place. */
  readonly refills: number;
}

/**
 * Every way in which these orders can end. Reserving and giving back are one moment each,
 * an order that fails later on holds its goods in between, and all of them come in any order.
 */
export function outcomesOf(available: readonly (number | undefined)[], wanted: readonly Wanted[], refill?: Refill): Outcome[] {
  const outcomes = new Map<string, Outcome>();
  const seen = new Set<string>();
  const open: Situation[] = [{ stages: wanted.map(() => 'waiting'), available, refills: 0 }];
  for (let situation = open.pop(); situation; situation = open.pop()) {
    // undefined is null in JSON, and no quantity is.
    const key = JSON.stringify(situation);
    if (seen.has(key)) continue;
    seen.add(key);
    if (isOver(situation, refill)) outcomes.set(JSON.stringify([situation.stages, situation.available]), outcomeOf(situation));
    open.push(...nextOf(situation, wanted, refill));
  }
  return [...outcomes.values()];
}

function isOver({ stages, refills }: Situation, refill: Refill | undefined): boolean {
  return stages.every((stage) => stage !== 'waiting' && stage !== 'holding') && (refill === undefined || refills > 0);
}

function nextOf({ stages, available, refills }: Situation, wanted: readonly Wanted[], refill: Refill | undefined): Situation[] {
  const next: Situation[] = [];
  wanted.forEach((order, index) => {
    const to = (stage: Stage, left = available): void => void next.push({ stages: stages.with(index, stage), available: left, refills });
    if (stages[index] === 'holding') to(failureOf(order) ?? 'CONFIRMED', moved(available, order, 1));
    if (stages[index] !== 'waiting') return;
    const shortage = shortageOf(available, order);
    if (shortage) to(shortage);
    else to(failureOf(order) ? 'holding' : 'CONFIRMED', moved(available, order, -1));
  });
  if (refill && refills < refill.sent) next.push({ stages, available: available.with(refill.product, refill.available), refills: refills + 1 });
  return next;
}

function moved(available: readonly (number | undefined)[], { lines }: Wanted, sign: 1 | -1): (number | undefined)[] {
  const left = [...available];
  for (const { product, quantity } of lines) left[product] = (left[product] ?? 0) + sign * quantity;
  return left;
}

function outcomeOf({ stages, available }: Situation): Outcome {
  // Nothing is waiting or holding when it is over.
  return { ends: stages as readonly End[], available };
}
