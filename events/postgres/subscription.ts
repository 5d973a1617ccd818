import type { Database } from '#database';
import { backoffMs, type Clock, createAlarm, type Log, newId, type Random, type Stoppable } from '#kit';

import type { SubscribeOptions } from '../bus.ts';
import { createTrouble } from '../trouble.ts';
import { type BucketRun, runBuckets } from './bucket-run.ts';
import { commitPositions, fetchEvents, leaveGroup, type Member } from './log-store.ts';

interface Given {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly leaseMs?: number;
  readonly pollMs?: number;
}

/** Runs a statement on the log. */
type Use = <T>(work: () => Promise<T>) => Promise<T>;

/** Events of all buckets that are held in memory. */
const MAX_AHEAD = 256;
/** Of buckets that have none in memory also beyond that: those whose events nobody can take must not starve the others. */
const MIN_FETCH = 16;
/** The least time between two looks, in which deliveries end and are committed together. */
const LINGER_MS = 30;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * One member of a group. It has some of the buckets, delivers the events of each one after another and those of several
 * side by side, and commits how far it has got. If it dies before that, the next one delivers them again.
 */
export function createSubscription({ group, topics, deliver }: SubscribeOptions, given: Given, use: Use): Stoppable {
  const { database, clock, random, log, leaseMs = 5_000, pollMs = 500 } = given;
  const member: Member = { group, member: newId(clock, random), topics };
  const stopping = new AbortController();
  const { signal } = stopping;
  const alarm = createAlarm(clock);
  const runs = new Set<BucketRun>();
  let listening: Stoppable | undefined;

  /** Writes down how far each bucket has got. A bucket that was lost stops: its new member handles the rest. */
  async function settle(): Promise<void> {
    const moved = [...runs].flatMap((run) => (run.done() > run.committed ? [{ run, ...run.bucket, position: run.done() }] : []));
    if (moved.length > 0) {
      const written = await use(() => commitPositions(database, member, moved));
      const kept = new Set(written.map(labelOf));
      for (const { run, position } of moved) {
        run.committed = position;
        if (!kept.has(labelOf(run.bucket))) run.stop();
      }
    }
    for (const run of runs) if (run.isOver() && run.committed === run.done()) runs.delete(run);
  }

  async function fetch(): Promise<void> {
    const ahead = [...runs].reduce((sum, run) => sum + run.left(), 0);
    const busy = [...runs].map((run) => run.bucket);
    // Also with nothing to fetch: it keeps the lease.
    const fetched = await use(() => fetchEvents(database, member, Math.max(MIN_FETCH, MAX_AHEAD - ahead), leaseMs, busy));
    for (const run of runBuckets(fetched, { deliver, clock, random, log, signal, onEnd: alarm.ring })) runs.add(run);
  }

  async function look(): Promise<void> {
    listening ??= await database.listen('event_log', (topic) => (topic === '' || topics.includes(topic)) && alarm.ring());
    const beganAt = clock.now();
    await settle();
    await fetch();
    await clock.sleep(Math.max(0, LINGER_MS - (clock.now() - beganAt)), signal).catch(() => undefined);
    // Often enough to keep the lease.
    await alarm.sleep(Math.min(pollMs, leaseMs / 3));
  }

  async function keepLooking(): Promise<void> {
    const trouble = createTrouble(log.child({ group }), clock, ['events cannot be consumed now; it goes on when it is possible', 'events are consumed again']);
    while (!signal.aborted) {
      try {
        await look();
        trouble.isOver();
      } catch (thrown) {
        if (signal.aborted) break;
        await clock.sleep(backoffMs(trouble.met(thrown), FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random), signal).catch(() => undefined);
      }
    }
  }

  async function leave(): Promise<void> {
    await Promise.all([...runs].map((bucket) => bucket.ended));
    try {
      await settle();
      await use(() => leaveGroup(database, member));
    } catch (err) {
      log.debug({ err, group }, 'a consumer could not leave its group; its lease runs out');
    }
  }

  const loop = keepLooking();
  let stopped: Promise<void> | undefined;

  async function stop(): Promise<void> {
    stopping.abort();
    alarm.ring();
    await loop;
    await listening?.stop();
    await leave();
  }

  return { stop: () => (stopped ??= stop()) };
}

function labelOf({ topic, bucket }: { topic: string; bucket: number }): string {
  return `${topic}/${bucket}`;
}
