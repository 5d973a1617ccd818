import { Admin } from '@platformatic/kafka';

import { type Clock, type Log, type Random, refusal, type Stoppable } from '#kit';

import type { EventBus, Lag } from '../bus.ts';
import { clientOptions, closeClient, type KafkaConnection } from './connection.ts';
import { busUnavailable } from './kafka-errors.ts';
import { groupPositions } from './offsets.ts';
import { createPublisher } from './publisher.ts';
import { readTopic, readTopicEnd } from './read-topic.ts';
import { startSubscription } from './subscription.ts';
import { createTopics } from './topics.ts';

export interface KafkaBusOptions extends KafkaConnection {
  /**
   * How many partitions a topic gets when it is created here: as many members of a group can share it. Default 16. An operator who
   * changes it later moves subjects to other partitions, and the order of those that were under way is not kept.
   */
  readonly partitions?: number;
  /** How long a member may be silent before others take over from it. Default 10,000; it says something four times as often. */
  readonly sessionTimeoutMs?: number;
  /** How long events are kept, also those that a group has not taken. Default 7 days: shorter than inboxes know them (8). Older ones that a broker still has are passed over. */
  readonly retentionMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const DEFAULT_PARTITIONS = 16;
const DEFAULT_SESSION_TIMEOUT_MS = 10_000;
const DEFAULT_RETENTION_MS = 7 * 24 * 60 * 60 * 1000;

/** The event bus on Kafka. It connects when it is first used, and again when it has to. */
export function createKafkaBus(options: KafkaBusOptions): EventBus {
  const { partitions = DEFAULT_PARTITIONS, sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS, retentionMs = DEFAULT_RETENTION_MS, clock, random, log } = options;
  const client = clientOptions(options, random);
  const admin = new Admin(client);
  const topicCatalogue = createTopics(admin, { partitions, retentionMs });
  const publisher = createPublisher({ client, topics: topicCatalogue, clock });
  const subscriptions = new Set<Stoppable>();
  let isStopped = false;

  /** Errors of the library end here. */
  async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (thrown) {
      throw busUnavailable(what, thrown);
    }
  }

  return {
    publish: (events) => publisher.publish(events),

    subscribe({ group, topics, deliver }) {
      if (isStopped) throw refusal('EVENT_BUS_UNAVAILABLE', 'this process is stopping; consume in another');
      const subscription = startSubscription({ client, admin, topicCatalogue, group, topics, deliver, sessionTimeoutMs, retentionMs, clock, random, log });
      subscriptions.add(subscription);
      return {
        async stop() {
          await subscription.stop();
          subscriptions.delete(subscription);
        },
      };
    },

    lag: (group, topics) =>
      ask('does not say how far the group is', async () => {
        const positions = await groupPositions(admin, group, await topicCatalogue.existing(topics));
        return topics.map((topic): Lag => {
          const behind = positions.filter((one) => one.topic === topic).reduce((sum, { next, end }) => sum + (end - next), 0n);
          return { topic, events: Number(behind) };
        });
      }),

    read: (topic, after, limit) =>
      ask('does not hand out events', async () => {
        const [existing] = await topicCatalogue.existing([topic]);
        return existing === undefined ? [] : readTopic({ client, admin, topic, after, limit, clock });
      }),

    readLast: (topic, limit) =>
      ask('does not hand out events', async () => {
        const [existing] = await topicCatalogue.existing([topic]);
        return existing === undefined ? [] : readTopicEnd({ client, admin, topic, limit, clock });
      }),

    async stop() {
      isStopped = true;
      await Promise.all([...subscriptions].map((subscription) => subscription.stop()));
      await publisher.stop();
      await closeClient(admin, clock);
    },
  };
}
