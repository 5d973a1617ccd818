import type { Consumer } from '@platformatic/kafka';

import { backoffMs, type Clock, type Log, type Random } from '#kit';

import type { AssignedPartition } from './assigned-partition.ts';
import { plainError } from './kafka-errors.ts';

export interface CommitsOptions {
  readonly consumer: Pick<Consumer, 'commit'>;
  /** Whether the partitions are those of the group's round: a commit out of an older one would set back who has them now. */
  readonly isInRound: () => boolean;
  /** The partitions that this member has now: it commits for no other. */
  readonly assigned: () => Iterable<AssignedPartition>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Tells the broker what has been taken. */
export interface Commits {
  /** Something was taken: it is committed soon, with all that is taken until then. */
  request(): void;
  /** Commits what has been taken until now. Never rejects: what stays uncommitted is delivered again. */
  now(): Promise<void>;
}

/**
 * One commit a round for all partitions, this far apart: a commit is a write on the broker, and one an event would cost more than
 * the event. A member that is killed leaves at most so much to be delivered twice.
 */
const COMMIT_EVERY_MS = 100;
const RETRY_MAX_MS = 2_000;
const NOTHING_KNOWN = -1;

export function createCommits({ consumer, isInRound, assigned, clock, random, log, signal }: CommitsOptions): Commits {
  let isRunning = false;
  let failures = 0;

  async function now(): Promise<void> {
    const progress = [...assigned()].filter(isToCommit).map((partition) => ({ partition, offset: partition.taken }));
    if (progress.length === 0 || !isInRound()) return;
    try {
      const offsets = progress.map(({ partition: { topic, index }, offset }) => ({ topic, partition: index, offset, leaderEpoch: NOTHING_KNOWN }));
      await consumer.commit({ offsets });
      for (const { partition, offset } of progress) partition.committed = offset;
      failures = 0;
    } catch (thrown) {
      if (failures === 0) log.debug({ err: plainError(thrown) }, 'what was taken cannot be committed now; it is tried again until it can');
      failures += 1;
    }
  }

  /** Until all is committed: what could not be is tried again. */
  async function run(): Promise<void> {
    while (!signal.aborted && [...assigned()].some(isToCommit)) {
      const pauseMs = failures === 0 ? COMMIT_EVERY_MS : backoffMs(failures, COMMIT_EVERY_MS, RETRY_MAX_MS, random);
      await clock.sleep(pauseMs, signal).catch(() => {});
      if (!signal.aborted) await now();
    }
    isRunning = false;
  }

  return {
    request() {
      if (isRunning) return;
      isRunning = true;
      void run();
    },
    now,
  };
}

/** Also backwards: a partition that was lost begins anew. */
function isToCommit({ taken, committed }: AssignedPartition): boolean {
  return taken !== committed;
}
