import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '#kit';

import type { Books, OrderFacts } from './books.ts';
import { readFacts } from './read-facts.ts';

/** Readings of what looks wrong, after the first. */
const MAX_READINGS = 5;
/** Between them: longer than what moves an order takes from one book to the next. */
const PAUSE_MS = 100;

/** What has come of reading again. */
export interface Settled {
  readonly facts: OrderFacts;
  /** It was another thing each time, so nothing can be said of it but that it moves. */
  readonly isMoving: boolean;
}

/**
 * Reads again what looks wrong, order first, until it looks right or reads the same twice. The
 * shop may run meanwhile: an order that is confirmed in the first book and cancelled by the
 * time the last one is read is no difference. An order moves before and after whatever its
 * saga does to other books, so what reads the same twice did not move in between.
 */
export async function settle(books: Books, suspects: readonly OrderFacts[], looksWrong: (facts: OrderFacts) => boolean, clock: Clock): Promise<Settled[]> {
  const settled: Settled[] = [];
  let pending = new Map(suspects.map((facts) => [facts.orderId, facts]));
  for (let reading = 0; reading < MAX_READINGS && pending.size > 0; reading += 1) {
    await clock.sleep(PAUSE_MS);
    const ids = [...pending.keys()];
    const again = await readFacts(books, ids, await books.orders.find(ids));
    const done = again.filter((facts) => !looksWrong(facts) || isDeepStrictEqual(facts, pending.get(facts.orderId)));
    settled.push(...done.map((facts) => ({ facts, isMoving: false })));
    const left = new Set(done);
    pending = new Map(again.filter((facts) => !left.has(facts)).map((facts) => [facts.orderId, facts]));
  }
  return [...settled, ...[...pending.values()].map((facts) => ({ facts, isMoving: true }))];
}
