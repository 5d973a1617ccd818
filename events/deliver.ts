import { type Log, MeshError, refusal } from '#kit';

import type { Deliver } from './bus.ts';
import { buryEvent } from './bury.ts';
import type { Event } from './event.ts';
import { createHandleEvent, type HandlingTools } from './handle-event.ts';
import type { EventHandler } from './handler.ts';
import { isOutage } from './outages.ts';
import { createPatience, type PatienceOptions } from './patience.ts';
import { createTrouble } from './trouble.ts';

export interface DeliverOptions extends HandlingTools, PatienceOptions {
  readonly handlers: ReadonlyMap<string, EventHandler>;
  readonly log: Log;
}

/** Told of what becomes of events. */
export type Outcome = 'handled' | 'duplicate' | 'skipped' | 'retried' | 'dead';

/**
 * Handles one event until it has had its effect or is a dead letter; later events of its subject are handled then. Rejects
 * when it is to stop, and when the database goes just as the event is to become a dead letter: the bus delivers it again.
 */
export function createDeliver(options: DeliverOptions, count: (outcome: Outcome) => void): Deliver {
  const { handlers, hooks = {}, clock, group } = options;
  const log = options.log.child({ group });
  const handleEvent = createHandleEvent(options);
  // Of an outage all events that are at work have their share; one line tells of it.
  const outage = createTrouble(log, clock, ['events wait: what their handlers need is not there now', 'events are handled again']);

  async function handle(event: Event, handler: EventHandler, signal: AbortSignal): Promise<void> {
    const patience = createPatience(options);
    for (;;) {
      if (signal.aborted) throw refusal('CANCELLED', 'this consumer is stopping; another one handles the event');
      try {
        const isNew = await handleEvent(event, handler, patience.tries + 1);
        outage.isOver();
        return count(isNew ? 'handled' : 'duplicate');
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        if (!patience.worthAnother(thrown)) return bury(event, thrown, patience.tries);
        if (isOutage(MeshError.from(thrown))) outage.met(thrown);
        else if (patience.tries === 1) log.warn({ err: thrown, event: event.id, type: event.type }, 'an event could not be handled; it is tried again');
        count('retried');
      }
      await patience.pause(signal);
    }
  }

  async function bury(event: Event, thrown: unknown, tries: number): Promise<void> {
    const error = MeshError.from(thrown);
    if (!(await buryEvent(event, error, tries, options))) return count('duplicate');
    const { id, type, subject } = event;
    log.error({ err: error, event: id, type, subject, tries }, 'an event is a dead letter: `mesh events dead` shows it, `mesh events replay` tries it again');
    count('dead');
  }

  return async (event, signal) => {
    const handler = handlers.get(event.type);
    if (!handler) return count('skipped');
    await hooks.beforeDeliver?.(event);
    await handle(event, handler, signal);
    await hooks.afterCommit?.(event);
  };
}
