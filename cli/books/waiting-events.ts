import type { Database } from '#database';
import { type EventBus, readOutboxLag, topicOf } from '#events';
import { type Log, MeshError } from '#kit';
import { loadModule } from '#modules';

import { openBus } from '../serving/event-bus.ts';
import { operatorsEventPlace } from '../serving/event-place.ts';
import type { Resolved } from '../settings.ts';

/**
 * Whether events of orders wait on their way to notification, or nobody can tell. The outbox is read first: an event
 * leaves it for the bus, so what had been written before is not missed in between.
 */
export async function doEventsWait(order: Database, settings: Resolved, log: Log): Promise<boolean> {
  if ((await readOutboxLag(order)).events > 0) return true;
  const place = operatorsEventPlace(settings.values);
  if (!place) return true;
  const { bus, checked } = await openBus(place, { log });
  try {
    await checked;
    return await isNotificationBehind(bus);
  } finally {
    await bus.stop();
  }
}

async function isNotificationBehind(bus: EventBus): Promise<boolean> {
  const topic = topicOf((await loadModule('order')).contract.typeName);
  try {
    return (await bus.lag('notification', [topic])).some(({ events }) => events > 0);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    if (error.code !== 'UNAVAILABLE') throw error;
    return true;
  }
}
