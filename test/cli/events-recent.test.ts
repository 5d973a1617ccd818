import { expect } from 'chai';

import { recentEvents } from '../../cli/events/recent-events.ts';
import type { StoredEvent } from '#events';

const EVENTS: readonly StoredEvent[] = Array.from({ length: 2_500 }, (_, index) => {
  const event = { id: `id-${index}`, source: 'order', type: 'shop.order.v1.OrderPlaced', subject: `order-${index % 10}`, time: new Date(index), data: {} };
  return { event: event as unknown as StoredEvent['event'], position: String(index) };
});

/** Counts what it hands out. */
function countingBus() {
  let handedOut = 0;
  const answer = (events: readonly StoredEvent[]): readonly StoredEvent[] => {
    handedOut += events.length;
    return events;
  };
  return {
    handedOut: () => handedOut,
    read: async (_topic: string, after: string, limit: number) => answer(EVENTS.slice(after === '' ? 0 : Number(after) + 1).slice(0, limit)),
    readLast: async (_topic: string, limit: number) => answer(EVENTS.slice(-limit)),
  };
}

const idsOf = (events: readonly StoredEvent[]): string[] => events.map(({ event }) => event.id);

describe('the last events of a topic', () => {
  it('are read from its end, and those that come after them from there', async () => {
    const bus = countingBus();
    const { events, positions } = await recentEvents(bus, { topics: ['order'], subject: undefined }, 3);
    expect(idsOf(events)).to.deep.equal(['id-2497', 'id-2498', 'id-2499']);
    expect(bus.handedOut()).to.equal(3);
    expect((await recentEvents(bus, { topics: ['order'], subject: undefined }, 1_000, positions)).events).to.deep.equal([]);
  });

  it('of one subject are searched for from its beginning', async () => {
    const bus = countingBus();
    const { events } = await recentEvents(bus, { topics: ['order'], subject: 'order-7' }, 2);
    expect(idsOf(events)).to.deep.equal(['id-2487', 'id-2497']);
    expect(bus.handedOut()).to.equal(EVENTS.length);
  });
});
