import type { Database } from '#database';
import type { Clock, Stoppable } from '#kit';

import { isAtRest, type OrderChange } from './domain.ts';
import { changesAfter, ORDER_CHANGED, orderOf } from './store.ts';

/** Looks again after this long even if nobody said that something changed. */
const LOOK_AGAIN_MS = 5_000;

/** Wakes watchers when an order changes, on whichever instance: one LISTEN for all of them. */
export interface OrderWatcher extends Stoppable {
  /**
   * The changes after `afterSequence`, those that have been and those to come, each once
   * and in order; ends when the newest one leaves the order at rest. ORDER_NOT_FOUND.
   */
  watch(orderId: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<OrderChange>;
  /** Resolves when the order is at rest, or the signal aborts. */
  untilAtRest(orderId: string, signal: AbortSignal): Promise<void>;
}

export function createOrderWatcher(database: Database, clock: Clock): OrderWatcher {
  const waiting = new Map<string, Set<() => void>>();
  let listening: Promise<Stoppable> | undefined;

  function wake(orderIds: string): void {
    // An empty payload says that notifications may have been lost: everybody looks.
    const woken = orderIds === '' ? [...waiting.values()] : orderIds.split(',').map((orderId) => waiting.get(orderId) ?? []);
    for (const waiters of woken) for (const waiter of waiters) waiter();
  }

  async function* watch(orderId: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<OrderChange> {
    listening ??= database.listen(ORDER_CHANGED, wake);
    await listening;
    let last = afterSequence;
    while (!signal.aborted) {
      // Before looking, so that a change between looking and waiting is not missed.
      const changed = nextChange(orderId);
      try {
        // The order first: if it is at rest, what brought it there is among the changes.
        const { state } = await orderOf(database, orderId);
        const changes = await changesAfter(database, orderId, last);
        for (const change of changes) {
          last = change.sequence;
          yield change;
        }
        // There may be more than fit in one look, or newer ones than the order that was read.
        if (changes.length > 0) continue;
        if (isAtRest(state)) return;
        await Promise.race([changed.promise, clock.sleep(LOOK_AGAIN_MS, signal).catch(() => {})]);
      } finally {
        changed.cancel();
      }
    }
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
    async untilAtRest(orderId, signal) {
      for await (const _ of watch(orderId, 0n, signal)) continue;
    },
    async stop() {
      await (await listening)?.stop();
    },
  };
}
