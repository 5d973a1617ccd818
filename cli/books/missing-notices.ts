import type { Clock } from '#kit';

import type { Books, OrderFacts } from './books.ts';
import type { Difference } from './difference.ts';
import { lacksNotice } from './judge-notices.ts';
import { judgeOrder } from './judge-order.ts';

/** What is to be said in place of a difference. */
export type Explain = (difference: Difference, facts: OrderFacts) => readonly Difference[];

const MAX_LOOKS = 3;
const BETWEEN_LOOKS_MS = 100;
/** By then an event has long arrived, unless notification is behind. */
const USUALLY_TOLD_MS = 60_000;

/**
 * Tells notices that are lost from those on their way. An order's event is written together with its state, so where
 * nothing is on its way after the order was read, its notice is there or never comes: then the notices are read again.
 */
export async function explainMissing(books: Books, read: readonly OrderFacts[], clock: Clock): Promise<Explain> {
  const lacking = read.filter(lacksItsNotice);
  if (lacking.length === 0) return (difference) => [difference];
  if (await mayFollow(books, clock)) return (difference, { order }) => whileEventsWait(difference, clock.now() - (order?.updateTime.getTime() ?? 0));
  const notices = new Map((await books.notices.entriesOf(lacking.map(({ orderId }) => orderId))).map((entry) => [entry.orderId, entry]));
  const lost = new Set(lacking.filter((facts) => lacksItsNotice({ ...facts, notices: notices.get(facts.orderId) ?? facts.notices })));
  return (difference, facts) => (lacksNotice(difference) && !lost.has(facts) ? [] : [difference]);
}

function lacksItsNotice(facts: OrderFacts): boolean {
  return judgeOrder(facts).some(lacksNotice);
}

/** A shop that runs has events on their way most of the time: a moment without any is waited for, not for long. */
async function mayFollow({ notices }: Books, clock: Clock): Promise<boolean> {
  for (let looks = 1; await notices.mayFollow(); looks += 1) {
    if (looks === MAX_LOOKS) return true;
    await clock.sleep(BETWEEN_LOOKS_MS);
  }
  return false;
}

/** Nothing of an order that has just come to rest, and no difference of an older one. */
function whileEventsWait(difference: Difference, restedMs: number): Difference[] {
  if (!lacksNotice(difference)) return [difference];
  if (restedMs < USUALLY_TOLD_MS) return [];
  return [{ ...difference, says: `${difference.says} yet: events wait, see \`mesh events\``, fails: false }];
}
