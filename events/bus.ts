import type { Stoppable } from '#kit';

import type { Event } from './event.ts';

/** Takes one event; resolves when its effect is committed. The bus delivers the next of its subject then, and the same one again when it rejects. */
export type Deliver = (event: Event, signal: AbortSignal) => Promise<void>;

export interface SubscribeOptions {
  /** Who consumes: each group gets every event once or more, whichever of its members. */
  readonly group: string;
  /** As {@link topicOf} names them. */
  readonly topics: readonly string[];
  readonly deliver: Deliver;
}

/** How far a group is behind. */
export interface Lag {
  readonly topic: string;
  /** Events published that the group has not taken. */
  readonly events: number;
}

/**
 * Carries events from relays to consumers: at least once, those of one subject in the order in which they were published.
 * Two adapters: a log in Postgres, and Kafka. Errors are MeshError, with EVENT_BUS_UNAVAILABLE while nothing can be done.
 */
export interface EventBus extends Stoppable {
  /**
   * Resolves when all of them are durable. When it rejects, some of them may be: of each subject the first ones, so that
   * publishing all of them again keeps the order of those who see each for the first time. MESSAGE_TOO_LARGE and
   * INVALID_ARGUMENT say that one of them will never be taken; everything else, that it is worth trying again.
   */
  publish(events: readonly Event[]): Promise<void>;
  /** Begins with the oldest event there is for a group that is new. */
  subscribe(options: SubscribeOptions): Stoppable;
  lag(group: string, topics: readonly string[]): Promise<readonly Lag[]>;
  /** Events of a topic from the oldest on (`after` is empty), or after one, for people and for replay; at most `limit`, and 1,000. */
  read(topic: string, after: string, limit: number): Promise<readonly StoredEvent[]>;
  /** The last ones of a topic in their order, at most `limit` and 1,000, at the cost of these alone. `read` goes on after the last. */
  readLast(topic: string, limit: number): Promise<readonly StoredEvent[]>;
}

export interface StoredEvent {
  readonly event: Event;
  /** Where it stands; `read` goes on after it. */
  readonly position: string;
}
