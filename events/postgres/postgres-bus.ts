import { join } from 'node:path';

import type { Database, MigrationComponent } from '#database';
import { type Clock, type Log, MeshError, type Random, refusal, repeat, type Stoppable } from '#kit';

import type { EventBus, SubscribeOptions } from '../bus.ts';
import { publishEvents, readEvents, readLag, readLastEvents, sweepEvents } from './log-store.ts';
import { createSubscription } from './subscription.ts';

export interface PostgresBusOptions {
  /** The schema {@link EVENT_LOG_SCHEMA}, whose owner closes it after the bus. */
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Run before the first statement, and again until it succeeds: brings the log's tables up to date, where the log may be away at the start. */
  readonly prepare?: () => Promise<unknown>;
  /** How long a member's buckets stay with it when it dies. Default 5,000: taken over after at most that and one poll. */
  readonly leaseMs?: number;
  /** How often a consumer looks when nobody has told it to. Default 500. */
  readonly pollMs?: number;
  /** How long events are kept, also those that a group has not taken. Default 7 days. */
  readonly retentionMs?: number;
  /** How often old ones are removed. Default 60,000. */
  readonly sweepEveryMs?: number;
}

/** The tables' schema is called so in every database: the SQL functions are known by that name. */
export const EVENT_LOG_SCHEMA = 'event_log';

export const eventLogMigrations: MigrationComponent = { name: 'event_log', directory: join(import.meta.dirname, 'migrations') };

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of each bucket and statement: 16,000 of a topic. */
const SWEEP_LIMIT = 1_000;
const READ_LIMIT = 1_000;

/** Events in a log in Postgres. Nothing is opened before the first call. */
export function createPostgresBus(options: PostgresBusOptions): EventBus {
  const { database, clock, log, prepare, retentionMs = 7 * DAY_MS, sweepEveryMs = 60_000 } = options;
  const stopping = new AbortController();
  const subscriptions = new Set<Stoppable>();
  let prepared: Promise<unknown> | undefined;
  let sweeping: Promise<void> | undefined;

  /** Runs one statement; every failure of the log's database is one of the bus. */
  async function use<T>(work: () => Promise<T>): Promise<T> {
    try {
      prepared ??= prepare?.() ?? Promise.resolve();
      await prepared.catch((thrown: unknown) => {
        prepared = undefined;
        throw thrown;
      });
      sweeping ??= repeat(sweep, { everyMs: sweepEveryMs, signal: stopping.signal, clock, log, failure: 'old events cannot be removed from the log now' });
      return await work();
    } catch (thrown) {
      throw busError(thrown);
    }
  }

  async function sweep(): Promise<void> {
    let swept: number;
    do {
      const round = await sweepEvents(database, retentionMs, SWEEP_LIMIT);
      ({ swept } = round);
      if (round.missed > 0) log.error({ missed: round.missed }, 'events grew too old before every group had taken them; see `mesh events lag`');
      // Fewer than one full bucket: that was all.
    } while (swept >= SWEEP_LIMIT && !stopping.signal.aborted);
  }

  function subscribe(given: SubscribeOptions): Stoppable {
    const subscription = createSubscription(given, options, use);
    subscriptions.add(subscription);
    return {
      async stop() {
        await subscription.stop();
        subscriptions.delete(subscription);
      },
    };
  }

  /** For callers: members that leave still have to say so. */
  async function useWhileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (stopping.signal.aborted) throw refusal('EVENT_BUS_UNAVAILABLE', 'this process is stopping and publishes and reads no more events');
    return use(work);
  }

  return {
    publish: (events) => (events.length === 0 ? Promise.resolve() : useWhileOpen(() => publishEvents(database, events))),
    subscribe,
    lag: (group, topics) => useWhileOpen(() => readLag(database, group, topics)),
    read: (topic, after, limit) => useWhileOpen(() => readEvents(database, topic, readPosition(after), Math.min(limit, READ_LIMIT))),
    readLast: (topic, limit) => useWhileOpen(() => readLastEvents(database, topic, Math.min(limit, READ_LIMIT))),
    async stop() {
      stopping.abort();
      await Promise.all([...subscriptions].map((subscription) => subscription.stop()));
      await sweeping;
    },
  };
}

function readPosition(after: string): bigint {
  if (after === '') return 0n;
  if (/^\d{1,18}$/.test(after)) return BigInt(after);
  throw refusal('INVALID_ARGUMENT', `"${after}" is no position in the log; begin without one`);
}

function busError(thrown: unknown): MeshError {
  const error = MeshError.from(thrown);
  if (error.reason !== 'DATABASE_UNAVAILABLE') return error;
  return refusal('EVENT_BUS_UNAVAILABLE', `events cannot be published or read now: ${error.message}`, { cause: error });
}
