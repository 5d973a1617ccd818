import type { EventBus } from '#events';
import { systemClock } from '#kit';

import { measureLag } from '../events/measure-lag.ts';
import { eventsAsTheyCome, MAX_READ, recentEvents, type Wanted } from '../events/recent-events.ts';
import { cloudEvent, renderEvents } from '../events/render-events.ts';
import { renderLag } from '../events/render-lag.ts';
import { withShopBus } from '../events/shop-bus.ts';
import { publishedTopics, readTopicName } from '../events/topics.ts';
import type { Output } from '../output.ts';
import { INTERRUPTED } from '../signals.ts';
import { type Interrupted, untilInterrupted } from '../until-interrupted.ts';
import { settingsOfRunningShop } from './running-shop.ts';

export interface ListOptions {
  /** By its name or that of its service; left out: all. */
  readonly topic?: string;
  readonly subject?: string;
  readonly limit: number;
  readonly follow?: boolean;
}

/** `mesh events list`: what was published, and what is from now on. `warn` says what is missing in the answer. Resolves with the exit code. */
export async function listEventsCommand({ topic, subject, limit, follow = false }: ListOptions, output: Output, warn: (line: string) => void): Promise<number> {
  // From before the first line: who sees one may press Ctrl-C at once.
  const interrupted = follow ? untilInterrupted() : undefined;
  try {
    const { settings } = await settingsOfRunningShop();
    const published = await publishedTopics();
    const topics = topic === undefined ? published.map(({ topic: name }) => name) : [readTopicName(topic, published)];
    const listing: Listing = { wanted: { topics, subject }, limit, output, warn };
    return await withShopBus(settings, (bus) => (interrupted ? followEvents(bus, listing, interrupted) : listEvents(bus, listing)));
  } finally {
    interrupted?.forget();
  }
}

interface Listing {
  readonly wanted: Wanted;
  readonly limit: number;
  readonly output: Output;
  readonly warn: (line: string) => void;
}

async function listEvents(bus: EventBus, { wanted, limit, output, warn }: Listing): Promise<number> {
  const { events, unread } = await recentEvents(bus, wanted, limit);
  warnOfUnread(unread, warn);
  const forPeople = (): string => (events.length > 0 ? renderEvents(events, output.width) : 'there are none');
  output.answer(forPeople, { events: events.map(({ event }) => cloudEvent(event)) });
  return 0;
}

/** Until Ctrl-C, or until nobody reads any more. Programs get a document for each event. */
async function followEvents(bus: EventBus, { wanted, limit, output, warn }: Listing, interrupted: Interrupted): Promise<number> {
  const signal = AbortSignal.any([interrupted.signal, output.readerGone]);
  let isFirst = true;
  for await (const { events, unread } of eventsAsTheyCome(bus, wanted, limit, systemClock, signal)) {
    if (isFirst) warnOfUnread(unread, warn);
    if (output.json) for (const { event } of events) output.answer(() => '', cloudEvent(event));
    else if (isFirst || events.length > 0) output.note(renderEvents(events, output.width, isFirst));
    isFirst = false;
  }
  return interrupted.signal.aborted ? INTERRUPTED : 0;
}

function warnOfUnread(topics: readonly string[], warn: (line: string) => void): void {
  if (topics.length > 0) warn(`newer events of ${topics.join(', ')} are left out: one answer reads ${MAX_READ} of a topic, from the oldest on`);
}

/** `mesh events lag`: what waits to be published, and to be consumed. Resolves with the exit code: 1 when a part of it cannot be told. */
export async function lagCommand(output: Output, warn: (line: string) => void): Promise<number> {
  const { settings } = await settingsOfRunningShop();
  const lag = await measureLag(settings);
  output.answer(() => renderLag(lag), { outboxes: lag.outboxes, groups: lag.groups ?? [] });
  const troubles = lag.outboxes.flatMap((outbox) => ('trouble' in outbox ? [`what waits in the outbox of ${outbox.service} cannot be told: ${outbox.trouble}`] : []));
  if (lag.groups === undefined) troubles.push(`how far consumers are behind cannot be told: ${lag.why}`);
  troubles.forEach(warn);
  return troubles.length === 0 ? 0 : 1;
}
