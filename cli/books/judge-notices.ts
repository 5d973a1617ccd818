import type { EndNotice, OrderFacts, OrderInBooks } from './books.ts';
import type { Difference } from './difference.ts';
import { differenceOf } from './judge-money.ts';

type EndState = Exclude<OrderInBooks['state'], 'PENDING' | 'CANCELLING'>;

/** What the buyer of an order that has come to rest has been told, the last one last. */
const TOLD: Readonly<Record<EndState, EndNotice>> = { CONFIRMED: 'ORDER_CONFIRMED', FAILED: 'ORDER_FAILED', CANCELLED: 'ORDER_CANCELLED' };

/** The notices of an order that has come to rest: one of its end, and none of another end but that it was confirmed before it was cancelled. */
export function judgeNotices(facts: OrderFacts, state: EndState): Difference[] {
  const differs = differenceOf(facts);
  const { notices, isDeadLetter } = facts.notices;
  const repeated = [...Map.groupBy(notices, (notice) => notice)].filter(([, same]) => same.length > 1);
  const wrong = new Set(notices.filter((notice) => notice !== TOLD[state] && !(state === 'CANCELLED' && notice === TOLD.CONFIRMED)));
  return [
    ...repeated.map(([notice, same]) => differs('told more than once', `is ${state}, and its buyer was told ${same.length} times: ${notice}`)),
    ...[...wrong].map((notice) => differs('told otherwise', `is ${state}, and its buyer was told ${notice}`)),
    ...(notices.includes(TOLD[state]) ? [] : [notTold(differs('not told', `is ${state}, and its buyer was not told so`), isDeadLetter)]),
  ];
}

/** What waits for an operator is no difference: it is known, and nothing is lost. */
function notTold(difference: Difference, isDeadLetter: boolean): Difference {
  return isDeadLetter ? { ...difference, says: `${difference.says}: the event is a dead letter, see \`mesh events dead\``, fails: false } : difference;
}

/** Whether an order is found wrong for want of its notice, which may still be on its way. */
export function lacksNotice({ kind, fails }: Difference): boolean {
  return kind === 'not told' && fails;
}
