import type { Admin } from '@platformatic/kafka';

import { isAnswer } from './kafka-errors.ts';

/** Topics as the broker has them. */
export interface Topics {
  /** Creates those that are missing. */
  ensure(topics: Iterable<string>): Promise<void>;
  /** Those that exist. Nothing is created. */
  existing(topics: readonly string[]): Promise<string[]>;
  /** Something said that a topic is gone: ask again. */
  forget(): void;
}

export interface TopicsOptions {
  /** How many a topic gets that is created. */
  readonly partitions: number;
  /** How long a topic that is created keeps its records. */
  readonly retentionMs: number;
}

/** Records go segment by segment, each by its youngest: so much longer than their retention the oldest of one may stay. */
const LONGEST_SEGMENT_MS = 6 * 60 * 60 * 1000;

/** What is created has as many replicas as the broker is set to. */
export function createTopics(admin: Admin, { partitions, retentionMs }: TopicsOptions): Topics {
  const configs = [
    { name: 'retention.ms', value: String(retentionMs) },
    { name: 'segment.ms', value: String(Math.min(retentionMs, LONGEST_SEGMENT_MS)) },
    // Then no publisher's clock counts, for retention and for what the broker takes.
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
  ];
  const known = new Set<string>();

  async function existing(topics: readonly string[]): Promise<string[]> {
    const all = new Set(await admin.listTopics());
    return topics.filter((topic) => all.has(topic));
  }

  async function create(topic: string): Promise<void> {
    try {
      await admin.createTopics({ topics: [topic], partitions, configs });
    } catch (thrown) {
      if (!isAnswer(thrown, 'TOPIC_ALREADY_EXISTS')) throw thrown;
    }
  }

  return {
    existing,
    async ensure(topics) {
      const unknown = [...new Set(topics)].filter((topic) => !known.has(topic));
      if (unknown.length === 0) return;
      // Asked first: whoever may not create topics can still use those that an operator has made.
      const there = new Set(await existing(unknown));
      for (const topic of unknown) {
        if (!there.has(topic)) await create(topic);
        known.add(topic);
      }
    },
    forget: () => known.clear(),
  };
}
