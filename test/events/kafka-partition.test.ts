import type { RecordsBatch } from '@platformatic/kafka';
import { expect } from 'chai';

import type { Event } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';

import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { AssignedPartition, type AssignedPartitionOptions } from '../../events/kafka/assigned-partition.ts';
import { createCommits } from '../../events/kafka/commits.ts';
import { toMessage } from '../../events/kafka/event-record.ts';
import { eventOf } from './bus-conformance-support.ts';

const common = { clock: systemClock, random: systemRandom, log: silentLog };
const TOPIC = 'shop.test.v1';

/** `count` events from an offset on, as a fetch answers with them. */
function batchOf(firstOffset: bigint, count: number, writtenAt = Date.now()): RecordsBatch {
  const records = Array.from({ length: count }, (_, offsetDelta) => {
    const { value, headers } = toMessage(eventOf(TOPIC, 'subject', Number(firstOffset) + offsetDelta), writtenAt);
    // Messages that are made here have their headers in a map.
    const entries = [...(headers as Map<Buffer, Buffer>)];
    return { length: 100, attributes: 0, timestampDelta: 0n, offsetDelta, key: null, value, headers: entries };
  });
  const rest = { length: 0, partitionLeaderEpoch: 0, magic: 2, crc: 0, attributes: 0, firstTimestamp: BigInt(writtenAt), maxTimestamp: BigInt(writtenAt) };
  return { ...rest, producerId: 0n, producerEpoch: 0, firstSequence: 0, firstOffset, lastOffsetDelta: count - 1, records };
}

describe('a partition that a member has', () => {
  const partitions: AssignedPartition[] = [];
  afterEach(() => Promise.all(partitions.splice(0).map((partition) => partition.stop())));

  function open(options: Partial<AssignedPartitionOptions> = {}): { partition: AssignedPartition; delivered: number[] } {
    const delivered: number[] = [];
    const deliver = async ({ data }: Event): Promise<void> => void delivered.push(Number(data['number']));
    const nothing = { isMember: () => true, onTaken: () => {}, onRoom: () => {}, retentionMs: 60_000 };
    const partition = new AssignedPartition({ ...common, topic: TOPIC, index: 0, from: 0n, deliver, ...nothing, ...options });
    partitions.push(partition);
    return { partition, delivered };
  }

  it('delivers nothing while it is not sure that the member still is one, and goes on when it is again', async () => {
    let asked = 0;
    let isMember = false;
    const { partition, delivered } = open({ isMember: () => (asked += 1) > 0 && isMember });
    partition.offer(0n, [batchOf(0n, 3)]);
    await until('it has asked some times', () => asked > 3);
    expect(delivered).to.deep.equal([]);
    isMember = true;
    await until('it has delivered all', () => delivered.length === 3);
  });

  it('delivers without that guard at once: it is what keeps a member that was paused from going on', async () => {
    const { partition, delivered } = open({ isMember: () => true });
    partition.offer(0n, [batchOf(0n, 3)]);
    await until('it has delivered all', () => delivered.length === 3);
    expect(partition.taken).to.equal(3n);
  });

  it('takes what has room and asks for the rest when half of it is gone', async () => {
    const held = Promise.withResolvers<void>();
    let roomy = 0;
    const { partition } = open({ deliver: () => held.promise, onRoom: () => void (roomy += 1) });
    partition.offer(0n, [batchOf(0n, 200), batchOf(200n, 200)]);
    expect(partition.wanted).to.equal(undefined);
    held.resolve();
    await until('it has delivered what it had', () => partition.taken === 256n);
    expect(partition.wanted).to.equal(256n);
    expect(roomy).to.equal(1);
  });

  it('leaves out what comes a second time', async () => {
    const { partition, delivered } = open();
    partition.offer(0n, [batchOf(0n, 3)]);
    partition.offer(0n, [batchOf(0n, 3)]);
    partition.offer(3n, [batchOf(0n, 5)]);
    await until('it has delivered all', () => delivered.length === 5);
    expect(delivered).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('passes over what is older than events are kept, and says so once', async () => {
    const { log, lines } = captureLog('error');
    const { partition, delivered } = open({ log });
    partition.offer(0n, [batchOf(0n, 3, Date.now() - 120_000), batchOf(3n, 1)]);
    await until('it has gone by all', () => partition.taken === 4n);
    expect(delivered).to.deep.equal([3]);
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['events are older than they are kept, and are passed over']);
  });

  it('that was lost begins anew, and takes the place of the group back with it', async () => {
    const committed: bigint[] = [];
    const consumer = { commit: async ({ offsets }: { offsets: { offset: bigint }[] }) => void committed.push(...offsets.map(({ offset }) => offset)) };
    const held = Promise.withResolvers<void>();
    const { partition, delivered } = open({
      from: 100n,
      deliver: async ({ data }) => {
        if (data['number'] === 101) await held.promise;
        delivered.push(Number(data['number']));
      },
    });
    const commits = createCommits({ ...common, consumer, isInRound: () => true, assigned: () => [partition], signal: new AbortController().signal });
    partition.offer(100n, [batchOf(100n, 5)]);
    await until('one is taken', () => partition.taken === 101n);
    await commits.now();
    partition.resetTo(0n);
    await commits.now();
    expect(committed).to.deep.equal([101n, 0n]);
    partition.offer(0n, [batchOf(0n, 2)]);
    held.resolve();
    await until('the new ones are taken', () => partition.taken === 2n);
    expect(delivered, 'the one under way ends, those behind it are gone').to.deep.equal([100, 101, 0, 1]);
  });

  it('delivers what it has fetched although the broker has deleted it, and goes on behind', async () => {
    const { partition, delivered } = open();
    partition.offer(0n, [batchOf(0n, 2)]);
    partition.resetTo(10n);
    partition.offer(10n, [batchOf(10n, 1)]);
    await until('all are taken', () => partition.taken === 11n);
    expect(delivered).to.deep.equal([0, 1, 10]);
  });

  it('does not count what was under way when it was stopped, unless it was finished', async () => {
    const begun = Promise.withResolvers<void>();
    const { partition } = open({
      deliver: async ({ data }, signal) => {
        if (data['number'] === 0) return;
        begun.resolve();
        await new Promise((_resolve, reject) => void signal.addEventListener('abort', () => reject(new Error('stopped'))));
      },
    });
    partition.offer(0n, [batchOf(0n, 3)]);
    await begun.promise;
    await partition.stop();
    expect(partition.taken).to.equal(1n);
    expect(partition.wanted).to.equal(undefined);
  });

  it('is committed for as long as the member has it, and no longer', async () => {
    const committed: unknown[] = [];
    const held = new Set<AssignedPartition>();
    const consumer = { commit: async ({ offsets }: { offsets: unknown[] }) => void committed.push(...offsets) };
    const commits = createCommits({ ...common, consumer, isInRound: () => true, assigned: () => held, signal: new AbortController().signal });
    const { partition } = open();
    held.add(partition);
    partition.offer(0n, [batchOf(0n, 2)]);
    await until('it has delivered', () => partition.taken === 2n);
    await commits.now();
    await commits.now();
    expect(committed, 'once').to.deep.equal([{ topic: TOPIC, partition: 0, offset: 2n, leaderEpoch: -1 }]);
    held.delete(partition);
    partition.offer(2n, [batchOf(2n, 2)]);
    await until('it has delivered more', () => partition.taken === 4n);
    await commits.now();
    expect(committed).to.have.length(1);
  });

  it('is not committed when the group has begun a new round: another may have it, and be further', async () => {
    const committed: unknown[] = [];
    let isInRound = false;
    const consumer = { commit: async ({ offsets }: { offsets: unknown[] }) => void committed.push(...offsets) };
    const { partition } = open();
    const commits = createCommits({ ...common, consumer, isInRound: () => isInRound, assigned: () => [partition], signal: new AbortController().signal });
    partition.offer(0n, [batchOf(0n, 2)]);
    await until('it has delivered', () => partition.taken === 2n);
    await commits.now();
    expect(committed).to.deep.equal([]);
    isInRound = true;
    await commits.now();
    expect(committed).to.have.length(1);
  });
});
