import type { Admin, Consumer } from '@platformatic/kafka';

import { backoffMs, type Clock, type Log, type Random } from '#kit';

import type { AssignedPartition } from './assigned-partition.ts';
import { byLeader, fetchRecords, type FetchTarget } from './fetch-records.ts';
import { isAnswer, plainError } from './kafka-errors.ts';
import { partitionRanges } from './offsets.ts';

export interface FetchingOptions {
  /** A client of its own: a broker answers the requests of a connection in turn, and a fetch that waits for events would hold up heartbeats. */
  readonly client: Consumer;
  readonly admin: Admin;
  readonly assigned: () => Iterable<AssignedPartition>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Fetching {
  /** A partition wants more, or there is another one. */
  wake(): void;
  /** Resolves when nothing is under way any more, after the signal. */
  readonly ended: Promise<void>;
}

interface Wanted extends FetchTarget {
  readonly partition: AssignedPartition;
}

/** How long a broker that has nothing new holds a request. */
const MAX_WAIT_MS = 500;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 500;

/** Keeps the assigned partitions supplied: one request at a time to each broker, for all partitions that it leads and that want more. */
export function startFetching({ client, admin, assigned, clock, random, log, signal }: FetchingOptions): Fetching {
  const busy = new Map<number, Promise<void>>();
  let wakeUp = Promise.withResolvers<void>();
  let failures = 0;

  async function pause(thrown: unknown): Promise<void> {
    failures += 1;
    if (failures === 1) log.warn({ err: plainError(thrown) }, 'no events can be fetched now; it is tried again until they can');
    // Leaders may have moved.
    client.clearMetadata();
    await clock.sleep(backoffMs(failures, RETRY_BASE_MS, RETRY_MAX_MS, random), signal).catch(() => {});
  }

  async function fetchFrom(leader: number, targets: readonly Wanted[]): Promise<void> {
    try {
      const fetched = await fetchRecords(client, leader, targets, MAX_WAIT_MS);
      for (const { target, batches } of fetched) target.partition.offer(target.offset, batches);
      failures = 0;
    } catch (thrown) {
      if (signal.aborted) return;
      if (isAnswer(thrown, 'OFFSET_OUT_OF_RANGE')) await resetLost(targets).catch(pause);
      else await pause(thrown);
    }
  }

  /** Retention has deleted what was to come next, or a broker has lost it. */
  async function resetLost(targets: readonly Wanted[]): Promise<void> {
    const ranges = await partitionRanges(admin, [...new Set(targets.map(({ topic }) => topic))]);
    for (const { topic, index, offset, partition } of targets) {
      const range = ranges.find((one) => one.topic === topic && one.index === index);
      if (range && (offset < range.oldest || offset > range.end)) partition.resetTo(range.oldest);
    }
  }

  async function startRequests(): Promise<void> {
    const targets = [...assigned()].flatMap((partition): Wanted[] => {
      const { topic, index, wanted: offset } = partition;
      return offset === undefined ? [] : [{ topic, index, offset, partition }];
    });
    if (targets.length === 0) return;
    for (const [leader, its] of await byLeader(client, targets)) {
      if (busy.has(leader)) continue;
      const request = fetchFrom(leader, its).finally(() => {
        busy.delete(leader);
        wakeUp.resolve();
      });
      busy.set(leader, request);
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      wakeUp = Promise.withResolvers();
      await startRequests().catch((thrown: unknown) => pause(thrown).then(() => wakeUp.resolve()));
      await wakeUp.promise;
    }
    await Promise.all(busy.values());
  }

  signal.addEventListener('abort', () => wakeUp.resolve(), { once: true });
  return { wake: () => wakeUp.resolve(), ended: run() };
}
