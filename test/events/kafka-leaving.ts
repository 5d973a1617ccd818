import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { consumerGroupChannel } from '@platformatic/kafka';
import { expect } from 'chai';

import { silentLog, systemClock, systemRandom } from '#kit';

import { clientOptions } from '../../events/kafka/connection.ts';
import { createMembership } from '../../events/kafka/membership.ts';
import { until } from '../database/until.ts';
import { eventOf, newTopic } from './bus-conformance-support.ts';
import { openKafkaBus } from './kafka-test-bus.ts';

/** A member that leaves when it is not one yet. */
export function kafkaLeaving(given: { readonly brokers: string }): void {
  it('leaves between the answers to joining and to syncing, and sends no heartbeat after that', async () => {
    const topic = newTopic();
    const publisher = openKafkaBus(given.brokers);
    await publisher.publish([eventOf(topic, 'subject', 1)]);
    await publisher.stop();
    const joined: unknown[] = [];
    const before = timers();
    const membership = createMembership({
      client: clientOptions({ brokers: [given.brokers], clientId: 'test' }, systemRandom),
      group: topic,
      topics: [topic],
      sessionTimeoutMs: 6_000,
      onAssigned: (assigned) => joined.push(assigned),
      onRebalance: () => {},
      onLost: () => {},
      ...{ clock: systemClock, random: systemRandom, log: silentLog, signal: new AbortController().signal },
    });
    const left = Promise.withResolvers<void>();
    const leaveWhenItSyncs = (event: unknown): void => {
      // The library tells of each operation in this shape.
      if ((event as { readonly operation?: string }).operation === 'syncGroup') queueMicrotask(() => void membership.leave().then(left.resolve, left.reject));
    };
    subscribe(consumerGroupChannel.start.name, leaveWhenItSyncs);
    try {
      await Promise.all([membership.join().catch(() => {}), left.promise]);
    } finally {
      unsubscribe(consumerGroupChannel.start.name, leaveWhenItSyncs);
    }
    expect(joined).to.deep.equal([]);
    await until('no timer goes on', () => timers() <= before);
  });
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
