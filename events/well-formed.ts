import { refusal } from '#kit';

import type { Event } from './event.ts';
import { isStorable } from './storable.ts';

/** The most that an id, source, type or subject may have, in UTF-8. Ids are in an index of Postgres, whose entries take 2,704 bytes. */
export const MAX_ATTRIBUTE_BYTES = 1_024;

/** Of RFC 3339, which CloudEvents ask for: years have four digits. */
const FIRST_TIME = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

/** INVALID_ARGUMENT for attributes that some bus, inbox or dead letter could not take. */
export function requireWellFormed(event: Event): void {
  const fault = faultOf(event);
  if (fault !== undefined) throw refusal('INVALID_ARGUMENT', `this can be no event: ${fault}; mend what makes it`);
}

/** What is wrong with the attributes of an event, without quoting them. Undefined for one that is well formed. */
export function faultOf({ id, source, type, subject, time, traceparent }: Event): string | undefined {
  for (const [name, text] of Object.entries({ id, source, type, subject })) {
    if (text === '') return `its ${name} is empty`;
    if (!isStorable(text)) return `its ${name} has a NUL or half a character`;
    if (Buffer.byteLength(text) > MAX_ATTRIBUTE_BYTES) return `its ${name} is longer than ${MAX_ATTRIBUTE_BYTES} bytes`;
  }
  if (traceparent !== undefined && !(isStorable(traceparent) && traceparent.length <= MAX_ATTRIBUTE_BYTES)) return 'its traceparent is none';
  const timeMs = time.getTime();
  return timeMs >= FIRST_TIME && timeMs <= LAST_TIME ? undefined : 'its time is none';
}
