import type { Consumer, RecordsBatch } from '@platformatic/kafka';

/** From where on records of a partition are wanted. */
export interface FetchTarget {
  readonly topic: string;
  readonly index: number;
  readonly offset: bigint;
}

/** One answer is about so large at most; a single record that is larger comes whole. */
const MAX_BYTES = 8 * 1_048_576;
/** And so large for each partition: some hundred events. */
const MAX_PARTITION_BYTES = 262_144;
const EPOCH_UNKNOWN = -1;

/** Targets by the broker that leads their partition. */
export async function byLeader<T extends FetchTarget>(client: Consumer, targets: readonly T[]): Promise<Map<number, T[]>> {
  const metadata = await client.metadata({ topics: topicsOf(targets) });
  return Map.groupBy(targets, ({ topic, index }) => {
    const leader = metadata.topics.get(topic)?.partitions[index]?.leader;
    if (leader === undefined) throw new Error(`partition ${index} of ${topic} has no leader`);
    return leader;
  });
}

/**
 * What one broker has of the targets; it waits so long while it has nothing. Targets without news are not in the answer.
 * A client must not ask the same broker twice at a time: the broker keeps a session for each.
 */
export async function fetchRecords<T extends FetchTarget>(
  client: Consumer,
  leader: number,
  targets: readonly T[],
  maxWaitTime: number,
): Promise<{ readonly target: T; readonly batches: readonly RecordsBatch[] }[]> {
  const metadata = await client.metadata({ topics: topicsOf(targets) });
  const idOf = (topic: string): string => metadata.topics.get(topic)?.id ?? '';
  const topics = targets.map(({ topic, index, offset }) => ({
    topicId: idOf(topic),
    partitions: [
      {
        partition: index,
        fetchOffset: offset,
        partitionMaxBytes: MAX_PARTITION_BYTES,
        currentLeaderEpoch: EPOCH_UNKNOWN,
        lastFetchedEpoch: EPOCH_UNKNOWN,
      },
    ],
  }));
  const { responses } = await client.fetch({ node: leader, topics, maxWaitTime, minBytes: 1, maxBytes: MAX_BYTES });
  return responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap(({ partitionIndex, records }) => {
      const target = targets.find(({ topic, index }) => index === partitionIndex && idOf(topic) === topicId);
      return target === undefined || !records ? [] : [{ target, batches: records }];
    }),
  );
}

function topicsOf(targets: readonly FetchTarget[]): string[] {
  return [...new Set(targets.map(({ topic }) => topic))];
}
