import type { DescMessage } from '@bufbuild/protobuf';

import type { Transaction } from '#database';
import { type Event, type EventHandler, onTogether, type WriteEffects } from '#events';
import { OrderFailedSchema } from '#proto/shop/order/v1/order_events_pb.js';

import { until } from '../database/until.ts';
import { numbered } from './event-bench.ts';
import type { HandBus } from './hand-bus.ts';
import type { Hold } from './hold.ts';

const EFFECTS = { name: 'test.effects_together', text: `INSERT INTO effect (for_group, subject, number) SELECT 'effects', '', * FROM unnest($1::int[])` };

/** An event of each number, of subjects of their own. */
export function eventsOf(...numbers: readonly number[]): Event[] {
  return numbers.map((number) => numbered(`s${number}`, number));
}

/** The number that {@link numbered} gave it. */
export function numberOf({ data }: Event): number {
  return Number(data['reason']);
}

/** A writer of the effects of several events, which tells of its calls and then does `more`. */
export function createWriter(more: (numbers: readonly number[]) => Promise<void> | void): { calls: number[][]; write: WriteEffects<number> } {
  const calls: number[][] = [];
  return {
    calls,
    async write(tx: Transaction, numbers: readonly number[]) {
      calls.push([...numbers]);
      await tx.query(EFFECTS, [numbers]);
      await more(numbers);
    },
  };
}

/** Its effect is an event's number. */
export function handlerOf(write: WriteEffects<number>, contract: DescMessage = OrderFailedSchema): EventHandler {
  return onTogether(contract, (_message, event) => numberOf(event), write);
}

/** Delivers the first event, and the others while that one is on its way, held; resolves when all are handled. */
export async function deliverBehind(bus: HandBus, hold: Hold, [first, ...others]: readonly Event[]): Promise<void> {
  const all = first ? [bus.deliver(first)] : [];
  await until('the first is on its way', hold.isReached);
  all.push(...others.map((event) => bus.deliver(event)));
  // Each is read, and in the queue, by the end of this turn of the event loop.
  await new Promise(setImmediate);
  hold.open();
  await Promise.all(all);
}
