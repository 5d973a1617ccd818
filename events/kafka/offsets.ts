import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka';

/** What a partition holds: the offset of its oldest record, and the one that its next will have. */
export interface PartitionRange {
  readonly topic: string;
  readonly index: number;
  readonly oldest: bigint;
  readonly end: bigint;
}

/** The same with the offset of the first record that a group has not taken. */
export interface GroupPosition extends PartitionRange {
  readonly next: bigint;
}

/** The partitions of topics that exist. */
export async function partitionRanges(admin: Admin, topics: readonly string[]): Promise<PartitionRange[]> {
  if (topics.length === 0) return [];
  const metadata = await admin.metadata({ topics: [...topics], forceUpdate: true });
  const counts = topics.map((topic) => ({ topic, count: metadata.topics.get(topic)?.partitionsCount ?? 0 }));
  const [oldest, end] = await Promise.all([
    listOffsets(admin, counts, ListOffsetTimestamps.EARLIEST),
    listOffsets(admin, counts, ListOffsetTimestamps.LATEST),
  ]);
  return counts.flatMap(({ topic, count }) =>
    Array.from({ length: count }, (_, index) => {
      const key = partitionKey(topic, index);
      return { topic, index, oldest: oldest.get(key) ?? 0n, end: end.get(key) ?? 0n };
    }),
  );
}

/**
 * How far a group has come. One that is new goes on with the oldest event there is, and so does one whose place is gone: it was
 * away until events were deleted, or the topic was made anew.
 */
export async function groupPositions(admin: Admin, group: string, topics: readonly string[]): Promise<GroupPosition[]> {
  const ranges = await partitionRanges(admin, topics);
  if (ranges.length === 0) return [];
  const asked = Map.groupBy(ranges, ({ topic }) => topic);
  const request = [...asked].map(([name, partitions]) => ({ name, partitionIndexes: partitions.map(({ index }) => index) }));
  const [answer] = await admin.listConsumerGroupOffsets({ groups: [{ groupId: group, topics: request }] });
  const committed = new Map(
    (answer?.topics ?? []).flatMap(({ name, partitions }) => partitions.map((one) => [partitionKey(name, one.partitionIndex), one.committedOffset])),
  );
  return ranges.map((range) => {
    // A group that has committed nothing has -1.
    const own = committed.get(partitionKey(range.topic, range.index)) ?? -1n;
    return { ...range, next: own >= range.oldest && own <= range.end ? own : range.oldest };
  });
}

export function partitionKey(topic: string, index: number): string {
  return `${topic}:${index}`;
}

async function listOffsets(
  admin: Admin,
  counts: readonly { readonly topic: string; readonly count: number }[],
  timestamp: bigint,
): Promise<Map<string, bigint>> {
  const topics = counts.map(({ topic, count }) => ({
    name: topic,
    partitions: Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp })),
  }));
  const listed = await admin.listOffsets({ topics });
  return new Map(listed.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex, offset }) => [partitionKey(name, partitionIndex), offset])));
}
