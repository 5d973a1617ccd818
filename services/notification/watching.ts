import type { Database } from '#database';
import { type Clock, type Log, repeat, type Stoppable } from '#kit';

import type { Notification } from './domain.ts';
import { changedAfter, lastSequences } from './store.ts';

/** How often it looks whether anything has changed for anybody who watches: so long after a change it is streamed at most. */
const LOOK_EVERY_MS = 500;

/** Follows the notifications of users, for any number of streams with one look. */
export interface NotificationWatcher extends Stoppable {
  /** Those that have changed after `afterSequence` and those that will, each as it is by then, until the signal aborts. */
  watch(userId: string, afterSequence: bigint, signal: AbortSignal): AsyncIterable<Notification>;
}

interface Waiting {
  readonly userId: string;
  readonly after: bigint;
  readonly wake: () => void;
}

/**
 * Looks at the numbers of all users who are watched here in one statement, while there are any. Not by NOTIFY: commits
 * that notify wait for one another in the whole server, and every order has several.
 */
export function createNotificationWatcher(database: Database, clock: Clock, log: Log): NotificationWatcher {
  const waiting = new Set<Waiting>();
  const stopping = new AbortController();
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    if (waiting.size === 0) return;
    const asked = [...waiting];
    const sequences = await lastSequences(database, [...new Set(asked.map(({ userId }) => userId))]);
    for (const { userId, after, wake } of asked) {
      if ((sequences.get(userId) ?? 0n) > after) wake();
    }
  }

  async function untilChanged(userId: string, after: bigint, signal: AbortSignal): Promise<void> {
    const failure = 'cannot look for notifications that have changed; goes on when it can';
    looking ??= repeat(look, { everyMs: LOOK_EVERY_MS, signal: stopping.signal, clock, log, failure });
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry = { userId, after, wake: resolve };
    waiting.add(entry);
    const ended = (): void => resolve();
    signal.addEventListener('abort', ended);
    if (!signal.aborted && !stopping.signal.aborted) await promise;
    signal.removeEventListener('abort', ended);
    waiting.delete(entry);
  }

  return {
    async *watch(userId, afterSequence, signal) {
      let last = afterSequence;
      while (!signal.aborted && !stopping.signal.aborted) {
        const changed = await changedAfter(database, userId, last);
        for (const notification of changed) {
          last = notification.sequence;
          yield notification;
        }
        if (changed.length === 0) await untilChanged(userId, last, signal);
      }
    },
    async stop() {
      stopping.abort();
      for (const { wake } of waiting) wake();
      await looking;
    },
  };
}
