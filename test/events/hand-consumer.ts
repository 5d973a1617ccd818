import type { Transaction } from '#database';
import { type Consumer, type ConsumerOptions, type Event, type EventHandler, on } from '#events';
import { OrderFailedSchema } from '#proto/shop/order/v1/order_events_pb.js';

import { type EventBench, startEventBench } from './event-bench.ts';
import { createHandBus, type HandBus } from './hand-bus.ts';

const EFFECT = { name: 'test.effect', text: 'INSERT INTO effect (for_group, subject, number) VALUES ($1, $2, $3)' };

/** A consumer that a test delivers to by hand. */
export function startHandConsumer(bench: EventBench, options: Partial<ConsumerOptions> = {}): { bus: HandBus; consumer: Consumer } {
  const bus = createHandBus();
  const consumer = bench.consumerOf({ bus, ...options });
  consumer.start();
  return { bus, consumer };
}

/** What the tests of a suite share that deliver by hand: a bench, empty before each of them. */
export interface HandBench {
  readonly bench: EventBench;
  /** See {@link startHandConsumer}. */
  start(options?: Partial<ConsumerOptions>): ReturnType<typeof startHandConsumer>;
  /** Those of the effects, in their order. */
  numbers(): Promise<number[]>;
}

/** Starts it before the suite that calls this, and stops it afterwards. */
export function useHandBench(): HandBench {
  let bench: EventBench;
  before(async function () {
    this.timeout(20_000);
    bench = await startEventBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());
  return {
    get bench() {
      return bench;
    },
    start: (options = {}) => startHandConsumer(bench, options),
    numbers: async () => (await bench.effects()).map(({ number }) => number),
  };
}

/** A handler that writes the effect and then does `more`, which may throw. */
export function effectHandler(more: (tx: Transaction, event: Event) => Promise<void> | void): EventHandler {
  return on(OrderFailedSchema, async (tx, { orderId, reason }, event) => {
    await tx.query(EFFECT, ['effects', orderId, Number(reason)]);
    await more(tx, event);
  });
}
