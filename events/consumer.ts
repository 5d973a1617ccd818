import { repeat, type Stoppable } from '#kit';

import type { EventBus } from './bus.ts';
import { createDeliver, type DeliverOptions, type Outcome } from './deliver.ts';
import { topicOf } from './event.ts';
import type { EventHandler } from './handler.ts';
import { sweepInbox } from './inbox.ts';
import { replayDue } from './replay.ts';

export interface ConsumerOptions extends Omit<DeliverOptions, 'handlers'> {
  readonly bus: Pick<EventBus, 'subscribe'>;
  /** One a type; built by `on`. Their types say which topics the group subscribes to, and events of other types are passed over. */
  readonly handlers: readonly EventHandler[];
  /** How long the inbox knows an event after it was handled. Default 8 days: longer than the bus can deliver it again (7). */
  readonly inboxRetentionMs?: number;
  /** How often to look for dead letters that are to be replayed. Default 1,000. */
  readonly replayPollMs?: number;
  /** How often old inbox entries are removed. Default 60,000. */
  readonly sweepEveryMs?: number;
}

/** Events since it was created, by what became of them. */
export interface ConsumerCounts extends Readonly<Record<Outcome, number>> {
  readonly replayed: number;
}

export interface Consumer extends Stoppable {
  start(): void;
  /** Plain numbers, for metrics. */
  read(): ConsumerCounts;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Handles events from the bus, those of one subject in their order. The bus delivers at least once; the entry in the
 * inbox, made in the effect's own transaction, makes the effect happen once. An event that cannot be handled becomes a
 * dead letter, and later events of its subject are handled without it: a handler that needs what an earlier event did
 * says so by `notYet`. Its schema has the tables of `inboxMigrations`.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { group, database, bus, clock, random, log, inboxRetentionMs = 8 * DAY_MS, replayPollMs = 1_000, sweepEveryMs = 60_000 } = options;
  const handlers = new Map(options.handlers.map((handler) => [handler.type, handler]));
  const topics = [...new Set([...handlers.keys()].map(topicOf))];
  const counts: Record<Outcome | 'replayed', number> = { handled: 0, duplicate: 0, skipped: 0, retried: 0, dead: 0, replayed: 0 };
  const given = { ...options, handlers };
  const deliver = createDeliver(given, (outcome) => void (counts[outcome] += 1));
  const stopping = new AbortController();
  const { signal } = stopping;
  const rounds = { signal, clock, log };
  let running: readonly Promise<void>[] = [];
  let subscription: Stoppable | undefined;

  async function replay(): Promise<void> {
    counts.replayed += await replayDue(given, signal);
  }

  async function sweep(): Promise<void> {
    await sweepInbox(database, group, inboxRetentionMs, { clock, random }, signal);
  }

  return {
    start() {
      subscription = bus.subscribe({ group, topics, deliver });
      running = [
        repeat(replay, { ...rounds, everyMs: replayPollMs, failure: 'dead letters cannot be replayed now; they stay due' }),
        repeat(sweep, { ...rounds, everyMs: sweepEveryMs, failure: 'old inbox entries cannot be removed now' }),
      ];
    },
    read: () => ({ ...counts }),
    async stop() {
      stopping.abort();
      await subscription?.stop();
      await Promise.all(running);
    },
  };
}
