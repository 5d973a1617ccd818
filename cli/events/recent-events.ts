import type { EventBus, StoredEvent } from '#events';
import type { Clock } from '#kit';

/** Which events are wanted. */
export interface Wanted {
  readonly topics: readonly string[];
  /** Only those of this subject. */
  readonly subject: string | undefined;
}

/** What was read of the bus. */
export interface Recent {
  /** By time, but those of one topic as they were published. */
  readonly events: readonly StoredEvent[];
  /** Where to read on, by topic. */
  readonly positions: ReadonlyMap<string, string>;
  /** Topics that have more than is read for one answer. */
  readonly unread: readonly string[];
}

type Readable = Pick<EventBus, 'read' | 'readLast'>;

const PAGE = 1_000;

/** Of a topic, for one answer: for those of one subject a bus is read from its oldest event on. Some seconds' work. */
export const MAX_READ = 100_000;

const LOOK_EVERY_MS = 500;

/** The last events there are; `positions` say where to begin, by topic. */
export async function recentEvents(bus: Readable, wanted: Wanted, limit: number, positions: Recent['positions'] = new Map()): Promise<Recent> {
  const { topics } = wanted;
  const read = await Promise.all(topics.map((topic) => readTopic(bus, topic, wanted, limit, positions.get(topic) ?? '')));
  return {
    events: merge(read.map(({ events }) => events)).slice(-limit),
    positions: new Map(topics.map((topic, index) => [topic, read[index]?.position ?? ''])),
    unread: topics.filter((_, index) => read[index]?.isMore),
  };
}

/** The last events there are, and then those that come, until the signal. */
export async function* eventsAsTheyCome(bus: Readable, wanted: Wanted, limit: number, clock: Clock, signal: AbortSignal): AsyncGenerator<Recent, undefined> {
  let recent = await recentEvents(bus, wanted, limit);
  for (;;) {
    yield recent;
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return undefined;
    recent = await recentEvents(bus, wanted, MAX_READ, recent.positions);
  }
}

async function readTopic(bus: Readable, topic: string, { subject }: Wanted, limit: number, after: string): Promise<{ events: StoredEvent[]; position: string; isMore: boolean }> {
  if (after === '' && subject === undefined && limit <= PAGE) {
    const last = await bus.readLast(topic, limit);
    return { events: [...last], position: last.at(-1)?.position ?? '', isMore: false };
  }
  let events: StoredEvent[] = [];
  let position = after;
  for (let count = 0; count < MAX_READ; count += PAGE) {
    const page = await bus.read(topic, position, PAGE);
    position = page.at(-1)?.position ?? position;
    events = [...events, ...page.filter(({ event }) => subject === undefined || event.subject === subject)].slice(-limit);
    if (page.length < PAGE) return { events, position, isMore: false };
  }
  return { events, position, isMore: true };
}

/** By time. What the clocks of two instances say puts no topic into another order. */
function merge(lists: readonly (readonly StoredEvent[])[]): StoredEvent[] {
  const ahead = lists.map((list) => list.toReversed());
  const merged: StoredEvent[] = [];
  for (;;) {
    const [earliest] = ahead.filter((list) => list.length > 0).sort((one, other) => timeOf(one) - timeOf(other));
    const next = earliest?.pop();
    if (next === undefined) return merged;
    merged.push(next);
  }
}

function timeOf(ahead: readonly StoredEvent[]): number {
  return ahead.at(-1)?.event.time.getTime() ?? 0;
}
