import { join } from 'node:path';

import type { MigrationComponent } from '#database';

export type { Deliver, EventBus, Lag, StoredEvent, SubscribeOptions } from './bus.ts';
export { type Consumer, type ConsumerCounts, type ConsumerOptions, createConsumer } from './consumer.ts';
export {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterStatus,
  discardDeadLetter,
  findDeadLetter,
  listDeadLetters,
  replayDeadLetter,
  replayDeadLetters,
  type Settlement,
} from './dead-letters.ts';
export { type Event, MAX_EVENT_BYTES, serializeData, topicOf } from './event.ts';
export { type EventEffect, type EventHandler, notYet, on, onTogether, type WriteEffects } from './handler.ts';
export type { EventHooks } from './hooks.ts';
export { type EventHead, newEvent } from './new-event.ts';
export { appendEvent, appendEvents } from './outbox.ts';
export { type OutboxLag, readOutboxLag } from './outbox-store.ts';
export { createRelay, type Relay, type RelayCounts, type RelayOptions } from './relay.ts';
export { createPostgresBus, EVENT_LOG_SCHEMA, eventLogMigrations, type PostgresBusOptions } from './postgres/postgres-bus.ts';

/** The outbox; goes into the schema of each service that publishes events. */
export const eventsMigrations: MigrationComponent = { name: 'events', directory: join(import.meta.dirname, 'migrations') };

/** Inbox and dead letters; goes into the schema of each service that consumes events. */
export const inboxMigrations: MigrationComponent = { name: 'inbox', directory: join(import.meta.dirname, 'migrations', 'inbox') };
