import type { EventBus } from '#events';
import { createLog, refusal } from '#kit';

import { openBus, PLACES } from '../serving/event-bus.ts';
import { operatorsEventPlace } from '../serving/event-place.ts';
import type { Resolved } from '../settings.ts';

/** Looks at the events of a shop; changes nothing. INVALID_SETTING where nobody has said where they are. */
export async function withShopBus<T>(settings: Resolved, look: (bus: EventBus) => Promise<T>): Promise<T> {
  const place = operatorsEventPlace(settings.values);
  if (!place) throw refusal('INVALID_SETTING', `no shop runs here, and no setting says where its events are; ${PLACES}`);
  const { bus, checked } = await openBus(place, { log: createLog({ level: 'error' }) });
  try {
    await checked;
    return await look(bus);
  } finally {
    await bus.stop();
  }
}
