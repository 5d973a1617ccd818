import { backoffMs, type Clock, type Log, type Random } from '#kit';

import type { Deliver } from '../bus.ts';
import type { FetchedEvent, HeldBucket } from './log-store.ts';

/** Some events of one bucket on their way to the consumer, one after another. */
export interface BucketRun {
  readonly bucket: HeldBucket;
  /** Position of the last one delivered; 0 before the first. */
  done(): bigint;
  /** The one that the log knows of; kept by whoever commits. */
  committed: bigint;
  /** Events that are not delivered yet. */
  left(): number;
  /** Nothing is delivered any more. */
  isOver(): boolean;
  /** Delivers no further event. */
  stop(): void;
  /** Resolves when it is over. Never rejects. */
  readonly ended: Promise<void>;
}

interface Given {
  readonly deliver: Deliver;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Aborts when the subscription stops. */
  readonly signal: AbortSignal;
  /** Told of each run that is over. */
  readonly onEnd: () => void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Begins to deliver what was fetched, each bucket by itself. */
export function runBuckets(fetched: readonly FetchedEvent[], given: Given): BucketRun[] {
  const buckets = Map.groupBy(fetched, ({ topic, bucket }) => `${topic}/${bucket}`);
  return [...buckets.values()].map((events) => startRun(events, given));
}

function startRun(events: readonly FetchedEvent[], given: Given): BucketRun {
  // A group is never empty.
  const [{ topic, bucket, fence }] = events as [FetchedEvent];
  const own = new AbortController();
  const signal = AbortSignal.any([given.signal, own.signal]);
  let done = 0n;
  let delivered = 0;
  let isOver = false;

  async function run(): Promise<void> {
    for (const fetched of events) {
      if (!(await deliverUntilTaken(fetched, given, signal))) break;
      done = fetched.position;
      delivered += 1;
    }
    isOver = true;
    given.onEnd();
  }

  return {
    bucket: { topic, bucket, fence },
    done: () => done,
    committed: 0n,
    left: () => events.length - delivered,
    isOver: () => isOver,
    stop: () => own.abort(),
    ended: run(),
  };
}

/** Delivers one event until the consumer takes it; false when it was to stop first. */
async function deliverUntilTaken({ event }: FetchedEvent, { deliver, clock, random, log }: Given, signal: AbortSignal): Promise<boolean> {
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      await deliver(event, signal);
      return true;
    } catch (err) {
      if (signal.aborted) return false;
      if (attempt === 1) log.warn({ err, event: event.id, type: event.type }, 'a consumer did not take an event; it gets it again until it does');
      await clock.sleep(backoffMs(attempt, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random), signal).catch(() => undefined);
    }
  }
  return false;
}
