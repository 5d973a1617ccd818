import { type Event, serializeData } from './event.ts';
import { requireWellFormed } from './well-formed.ts';

/** Events as the arrays that `unnest` makes rows of: id, source, type, subject, time, data, traceparent. INVALID_ARGUMENT, MESSAGE_TOO_LARGE. */
export function columnsOf(events: readonly Event[]): unknown[][] {
  for (const event of events) requireWellFormed(event);
  return [
    events.map(({ id }) => id),
    events.map(({ source }) => source),
    events.map(({ type }) => type),
    events.map(({ subject }) => subject),
    events.map(({ time }) => time),
    events.map(serializeData),
    events.map(({ traceparent }) => traceparent ?? null),
  ];
}
