import type { Database } from '#database';
import { type Clock, refusal, type Stoppable } from '#kit';

import { isFinal, type OrderChange } from './domain.ts';
import { changesAfter, findOrder, ORDER_CHANGED } from './store.ts';

/** Looks again after this long even if nobody said that something changed. */
const LOOK_AGAIN_MS = 2_000;

/** Wakes watchers when an order changes, on whichever instance: one LISTEN for all of them. */
export interface OrderWatcher extends Stoppable {
  /** The changes after `afterSequence`, those that have been and those to come; ends after a final state. ORDER_NOT_FOUND. */
  watch(orderId: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<OrderChange>;
}

export function createOrderWatcher(database: Database, clock: Clock): OrderWatcher {
  const waiting = new Map<string, Set<() => void>>();
  let listening: Promise<Stoppable> | undefined;

  function wake(orderId: string): void {
    // An empty payload says that notifications may have been lost: everybody looks.
    const woken = orderId === '' ? [...waiting.values()] : [waiting.get(orderId) ?? []];
    for (const waiters of woken) for (const waiter of waiters) waiter();
  }

  async function* watch(orderId: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<OrderChange> {
    if (!(await findOrder(database, orderId))) {
      throw refusal('ORDER_NOT_FOUND', `there is no order ${orderId}`, { metadata: { order_id: orderId } });
    }
    listening ??= database.listen(ORDER_CHANGED, wake);
    await listening;
    let last = afterSequence;
    while (!signal.aborted) {
      // Before looking, so that a change between looking and waiting is not missed.
      const changed = nextChange(orderId);
      try {
        const changes = await changesAfter(database, orderId, last);
        for (const change of changes) {
          last = change.sequence;
          yield change;
          if (isFinal(change.state)) return;
        }
        if (changes.length === 0 && last > 0n && (await isOver(orderId, last))) return;
        await Promise.race([changed.promise, clock.sleep(LOOK_AGAIN_MS, signal).catch(() => {})]);
      } finally {
        changed.cancel();
      }
    }
  }

  /** A reader that had seen the final change already gets an empty stream, not one that never ends. */
  async function isOver(orderId: string, last: bigint): Promise<boolean> {
    const order = await findOrder(database, orderId);
    return order !== undefined && isFinal(order.state) && (await changesAfter(database, orderId, last)).length === 0;
  }

  function nextChange(orderId: string): { promise: Promise<void>; cancel: () => void } {
    const waiters = waiting.get(orderId) ?? new Set();
    waiting.set(orderId, waiters);
    const { promise, resolve } = Promise.withResolvers<void>();
    waiters.add(resolve);
    const cancel = (): void => {
      waiters.delete(resolve);
      if (waiters.size === 0) waiting.delete(orderId);
    };
    return { promise, cancel };
  }

  return {
    watch,
    async stop() {
      await (await listening)?.stop();
    },
  };
}
