import { expectBooksAgree } from '../../shop/books-agree.ts';
import type { FaultyShop } from '../../shop/faults/faulty-shop.ts';
import { allServe } from '../../shop/model/commands/processes.ts';
import type { Fleet } from '../../shop/model/real-shop.ts';
import type { Effects } from './effects.ts';
import type { EventHistories } from './event-histories.ts';
import { wrongNotices } from './notices.ts';
import type { SagaWatch } from './saga-watch.ts';
import type { Asked, Traffic } from './traffic.ts';
import { inspect } from './wholeness.ts';

/** Looks at everything, and remembers what is wrong. */
export interface Eyes {
  /** Nothing is ordered meanwhile. `besides`: orders that were not the traffic's. */
  look(besides: readonly Asked[]): Promise<void>;
  readonly wrong: readonly string[];
  readonly orders: number;
  readonly finalAfterMs: number;
}

/** What they are on. */
export interface Watched {
  readonly shop: FaultyShop;
  readonly fleet: Fleet;
  readonly traffic: Traffic;
  readonly events: EventHistories;
  readonly effects: Effects;
  readonly sagas: SagaWatch;
}

export function createEyes({ shop, fleet, traffic, events, effects, sagas }: Watched): Eyes {
  const wrong: string[] = [];
  let orders = 0;
  let finalAfterMs = 0;
  return {
    wrong,
    get orders() {
      return orders;
    },
    get finalAfterMs() {
      return finalAfterMs;
    },
    async look(besides) {
      const asked = [...(await traffic.pause()), ...besides];
      await allServe({ shop, fleet });
      orders += asked.length;
      const found = await inspect(shop, asked);
      finalAfterMs = Math.max(finalAfterMs, found.finalAfterMs);
      wrong.push(...found.wrong, ...(await traffic.strangers()), ...(await sagas.wrongWrites()));
      const orderIds = asked.map(({ orderId }) => orderId);
      wrong.push(...(await events.wrongIn(orderIds)), ...(await effects.wrongFor(orderIds)), ...(await wrongNotices(shop, asked)));
      await expectBooksAgree(shop).catch((thrown: unknown) => void wrong.push(`the books differ: ${String(thrown)}`));
    },
  };
}
