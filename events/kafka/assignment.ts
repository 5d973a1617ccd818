import type { Admin } from '@platformatic/kafka';

import { backoffMs } from '#kit';

import { AssignedPartition, type AssignedPartitionOptions } from './assigned-partition.ts';
import type { Assigned } from './membership.ts';
import { groupPositions, partitionKey } from './offsets.ts';
import { plainError } from './kafka-errors.ts';

export interface AssignmentOptions extends Omit<AssignedPartitionOptions, 'topic' | 'index' | 'from'> {
  readonly admin: Admin;
  readonly group: string;
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
}

/** The partitions that a member has now. */
export interface Assignment {
  all(): Iterable<AssignedPartition>;
  /** Lets go of what is no longer its own, and takes up what is new where the group has stopped. */
  change(assigned: Assigned): Promise<void>;
  /** Ends every delivery. What was taken stays to be committed. */
  stop(): Promise<void>;
}

const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 2_000;

export function createAssignment(options: AssignmentOptions): Assignment {
  const { admin, group, topics, signal, clock, random, log } = options;
  const held = new Map<string, AssignedPartition>();
  let changes = 0;

  /** Undefined when there was another change, or a stop, meanwhile. */
  async function positions(change: number): Promise<Awaited<ReturnType<typeof groupPositions>> | undefined> {
    for (let attempt = 1; change === changes && !signal.aborted; attempt += 1) {
      try {
        return await groupPositions(admin, group, topics);
      } catch (thrown) {
        if (attempt === 1) log.warn({ err: plainError(thrown), group }, 'where the group has stopped cannot be asked now; it is tried again');
        await clock.sleep(backoffMs(attempt, RETRY_BASE_MS, RETRY_MAX_MS, random), signal).catch(() => {});
      }
    }
    return undefined;
  }

  return {
    all: () => held.values(),
    async change({ partitions, isContinued }) {
      const change = (changes += 1);
      const own = new Set(partitions.map(({ topic, index }) => partitionKey(topic, index)));
      for (const [key, partition] of held) {
        if (own.has(key) && isContinued) continue;
        held.delete(key);
        // Nobody waits for it: what it still delivers is not committed, and comes again to whoever has the partition now.
        void partition.stop();
      }
      if (held.size === own.size) return;
      const known = await positions(change);
      if (known === undefined || change !== changes || signal.aborted) return;
      for (const { topic, index, next } of known) {
        const key = partitionKey(topic, index);
        if (own.has(key) && !held.has(key)) held.set(key, new AssignedPartition({ ...options, topic, index, from: next }));
      }
      options.onRoom();
    },
    async stop() {
      changes += 1;
      await Promise.all([...held.values()].map((partition) => partition.stop()));
    },
  };
}
