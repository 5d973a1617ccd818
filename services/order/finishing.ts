import type { Transaction } from '#database';
import { appendEvents } from '#events';
import type { Log } from '#kit';
import type { EndedSaga } from '#saga';

import { type EventSource, orderEvent } from './events.ts';
import { type Move, moveOrders } from './store.ts';

/** What the end of a saga means for its order. */
export interface Verdict extends Move {
  /** The event that announces it. */
  readonly event: Parameters<typeof orderEvent>[1];
}

export interface Finishing extends EventSource {
  readonly log: Log;
}

/** Moves the orders of sagas that have ended, and announces it: two statements, however many there are. */
export async function finishOrders<State extends object>(
  tx: Transaction,
  { log, ...source }: Finishing,
  ended: readonly EndedSaga<State>[],
  judge: (saga: EndedSaga<State>) => Verdict,
): Promise<void> {
  const verdicts = ended.map(judge);
  const moved = await moveOrders(tx, verdicts);
  const events = verdicts.flatMap(({ event, orderId, reason, from, to }, index) => {
    const order = moved.get(orderId);
    if (!order) {
      // The order keeps what somebody else made of it; what the saga did elsewhere may differ from that.
      log.error({ orderId, sagaId: ended[index]?.sagaId, from, to }, 'a saga has ended, and its order was not where it had left it; compare: mesh doctor books');
      return [];
    }
    // Those of a group have a trace each; none of them is the active one.
    return { ...orderEvent(source, event, order, reason), traceparent: ended[index]?.traceparent };
  });
  await appendEvents(tx, events);
}
