import type { Tracer } from '@opentelemetry/api';

import type { Database } from '#database';
import { type Alarm, backoffMs, type Clock, createAlarm, type Log, type Random, type Stoppable } from '#kit';

import type { EventBus } from './bus.ts';
import type { EventHooks } from './hooks.ts';
import { createOutboxLease } from './outbox-lease.ts';
import { outboxChannel, type OutboxLag, readOutboxLag, takeWaiting, type Waiting } from './outbox-store.ts';
import { publishBatch } from './publish-batch.ts';
import { createTrouble } from './trouble.ts';

export interface RelayOptions {
  /** The schema whose outbox it publishes. */
  readonly database: Database;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Given one, each event gets a span of its publishing in the trace that wrote it. */
  readonly tracer?: Tracer;
  readonly hooks?: EventHooks;
  /** Events that are published together. Default 200. */
  readonly batchSize?: number;
  /** How long the outbox stays with a relay that died. Default 3,000: taken over after at most that and one poll. */
  readonly leaseMs?: number;
  /** How often a relay that sleeps looks nevertheless. Default 500. */
  readonly pollMs?: number;
  /** The pause between two looks while events come, in which they gather for one batch. Default 50. */
  readonly lingerMs?: number;
  /** How long after the last event it goes on looking at that pace before it sleeps. Default 250. */
  readonly wakefulMs?: number;
}

/** Since it was created. */
export interface RelayCounts {
  readonly published: number;
  readonly batches: number;
  /** Batches that the bus did not take, and rounds that the database did not answer. */
  readonly failures: number;
  readonly refused: number;
}

export interface Relay extends Stoppable {
  start(): void;
  /** What waits in the outbox now. */
  lag(): Promise<OutboxLag>;
  /** Plain numbers, for metrics. */
  read(): RelayCounts;
}

const SENTENCES = ['events wait in the outbox; they are published when it is possible again', 'events are published again'] as const;
/** Events that a relay reads which does not have the outbox: enough to know that it is worth asking for. */
const TO_KNOW = 1;
const FIRST_PAUSE_MS = 100;
/** Also after a long outage events are on their way within seconds. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * Publishes what a service wrote into its outbox: at least once, those of one subject in the order in which they were
 * written. A row is removed when the bus has its event: from then on the bus keeps it, for days, and a second copy would
 * cost another write and index entries for each.
 *
 * One relay at a time works on an outbox, by a lease. The lease saves work and is no guard of the order: every relay
 * publishes all that waits, oldest first, and of two such sequences, however they mix, each event's first appearance comes
 * after that of the one before it. So a relay that was paused, and wakes when another has the outbox, repeats events and
 * disorders none, for consumers that dedupe.
 */
export function createRelay(options: RelayOptions): Relay {
  const { database, clock, random, log, batchSize = 200, leaseMs = 3_000, pollMs = 500, lingerMs = 50, wakefulMs = 250 } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const alarm = createAlarm(clock);
  const bell = createBell(database, alarm);
  const lease = createOutboxLease(database, leaseMs, options);
  const trouble = createTrouble(log, clock, SENTENCES);
  const counts = { published: 0, batches: 0, failures: 0, refused: 0 };
  let published: bigint[] = [];
  let lastEventAt = -Infinity;
  let loop: Promise<void> = Promise.resolve();

  const pause = (ms: number): Promise<void> => clock.sleep(ms, signal).catch(() => undefined);

  async function publish(batch: readonly Waiting[]): Promise<void> {
    const { positions, refused } = await publishBatch(batch, options);
    published = positions;
    counts.batches += 1;
    counts.published += positions.length;
    counts.refused += refused;
    lastEventAt = clock.now();
  }

  /** Nothing waits: look again soon for a while, then set the bell, look once more and sleep. */
  async function rest(): Promise<void> {
    if (clock.now() - lastEventAt < wakefulMs) return pause(lingerMs);
    if (!(await lease.fallAsleep())) await alarm.sleep(pollMs);
  }

  async function round(): Promise<void> {
    await bell.hang();
    const isOurs = lease.isHeld();
    const waiting = await takeWaiting(database, published, isOurs ? batchSize : TO_KNOW);
    published = [];
    if (waiting.length > 0 && !(await lease.hold())) return alarm.sleep(pollMs);
    const batch = isOurs || waiting.length === 0 ? waiting : await takeWaiting(database, [], batchSize);
    if (batch.length > 0) await publish(batch);
    trouble.isOver();
    if (batch.length === 0) await rest();
    else if (batch.length < batchSize) await pause(lingerMs);
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await round();
      } catch (thrown) {
        if (signal.aborted) break;
        counts.failures += 1;
        await pause(backoffMs(trouble.met(thrown), FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random));
      }
    }
    await leave();
  }

  async function leave(): Promise<void> {
    try {
      await bell.stop();
      if (published.length > 0) await takeWaiting(database, published, 0);
      await lease.release();
    } catch (err) {
      log.debug({ err }, 'the relay could not let go of its outbox; its lease runs out');
    }
  }

  return {
    start: () => void (loop = run()),
    lag: () => readOutboxLag(database),
    read: () => ({ ...counts }),
    async stop() {
      stopping.abort();
      alarm.ring();
      await loop;
    },
  };
}

/** Listens as soon as the database answers: the channel is called like the schema, which only the database knows. */
function createBell(database: Database, alarm: Alarm): Stoppable & { hang(): Promise<void> } {
  let listening: Stoppable | undefined;
  return {
    async hang() {
      listening ??= await database.listen(await outboxChannel(database), alarm.ring);
    },
    async stop() {
      await listening?.stop();
    },
  };
}
