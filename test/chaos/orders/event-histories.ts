import { until } from '../../shop/orders.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { eventsOf, openBus } from './open-bus.ts';

/** Reads a shop's event log from where it was left, so that each event is looked at once. */
export interface EventHistories {
  /** What is wrong with the events of these orders, in words, once each of them has had its last. */
  wrongIn(orderIds: readonly string[]): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const TOPIC = 'shop.order.v1';
const PAGE = 500;
/** Five times what a relay may take to come back with a process that died. */
const TOLD_WITHIN_MS = 50_000;

const LETTERS: Readonly<Record<string, string>> = {
  OrderPlaced: 'P',
  OrderConfirmed: 'C',
  OrderFailed: 'F',
  OrderCancellationBegun: 'b',
  OrderCancellationRefused: 'r',
  OrderCancelled: 'X',
};
/** Placed, and then failed, or called off on the way, or confirmed and perhaps called off after that, at the first try or a later one. */
const WHOLE = /^P(F|X|C(br)*(bX)?)$/;
/** Ended, or confirmed: nothing more need come. */
const AT_REST = /[CFXr]$/;

export async function readEventHistories({ environment }: Shop): Promise<EventHistories> {
  const bus = await openBus(eventsOf(environment));
  const histories = new Map<string, string>();
  const seen = new Set<string>();
  let after = '';

  /** A relay that died in between tells an event twice; consumers know it by its id, and so is it counted here. */
  async function readOn(): Promise<void> {
    for (;;) {
      const page = await bus.read(TOPIC, after, PAGE);
      for (const { event, position } of page) {
        after = position;
        if (seen.has(event.id)) continue;
        seen.add(event.id);
        const letter = LETTERS[event.type.slice(TOPIC.length + 1)] ?? '?';
        histories.set(event.subject, (histories.get(event.subject) ?? '') + letter);
      }
      if (page.length < PAGE) return;
    }
  }

  return {
    async wrongIn(orderIds) {
      const isTold = (orderId: string): boolean => AT_REST.test(histories.get(orderId) ?? '');
      await until('every order is told of to its end', TOLD_WITHIN_MS, async () => {
        await readOn();
        return orderIds.every(isTold) ? true : undefined;
      }).catch(() => undefined);
      return orderIds.filter((orderId) => !WHOLE.test(histories.get(orderId) ?? '')).map((orderId) => `order ${orderId} has the events "${histories.get(orderId) ?? ''}"`);
    },
    stop: () => bus.stop(),
  };
}
