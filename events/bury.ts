import { createHash } from 'node:crypto';

import type { Database, Statement } from '#database';
import { type Clock, MeshError, newId, type Random } from '#kit';

import type { Event } from './event.ts';
import { failureText } from './failure-text.ts';
import { enterInbox } from './inbox.ts';
import { isOutage } from './outages.ts';
import { isStorable, toStorable } from './storable.ts';
import { MAX_ATTRIBUTE_BYTES } from './well-formed.ts';

const BURY: Statement = {
  name: 'dead_letter.bury',
  text: `INSERT INTO dead_letter (dead_letter_id, for_group, event_id, source, type, subject, event_time, data, trace_parent, reason, message, tries)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (for_group, event_id) DO NOTHING`,
};

interface Given {
  readonly group: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
}

/** What of an event is kept; null is data that could not be. */
type Remains = Omit<Event, 'data'> & { readonly data: Event['data'] | null };

/** Three bytes a character at most, in UTF-8. */
const MAX_LENGTH = Math.floor(MAX_ATTRIBUTE_BYTES / 3);

/**
 * Sets an event aside as a dead letter. It is entered in the inbox too: delivered again, it is no second letter. Of one that
 * Postgres does not take as it is, no more than its attributes are kept, as far as they can be: better than that it comes
 * again for ever and holds up all behind it. False when it had been set aside, or handled by another member, before.
 */
export async function buryEvent(event: Event, error: MeshError, tries: number, given: Given): Promise<boolean> {
  try {
    return await bury(event, error, tries, given);
  } catch (thrown) {
    if (isOutage(MeshError.from(thrown))) throw thrown;
    return bury(remainsOf(event, given.clock), error, tries, given);
  }
}

function bury(remains: Remains, error: MeshError, tries: number, { group, database, clock, random }: Given): Promise<boolean> {
  const { id, source, type, subject, time, data, traceparent } = remains;
  const letter = [newId(clock, random), group, id, source, type, subject, time, JSON.stringify(data), traceparent ?? null, error.reason, failureText(error), tries];
  return database.transaction('event.bury', async (tx) => {
    const [isNew = false] = await enterInbox(tx, group, [id]);
    if (isNew) await tx.query(BURY, letter);
    return isNew;
  });
}

function remainsOf({ id, source, type, subject, time }: Event, clock: Clock): Remains {
  const isGoodId = isStorable(id) && Buffer.byteLength(id) <= MAX_ATTRIBUTE_BYTES;
  return {
    // The same each time it comes, so that it is one letter.
    id: isGoodId ? id : `sha256:${createHash('sha256').update(id).digest('hex')}`,
    source: toStorable(source, MAX_LENGTH),
    type: toStorable(type, MAX_LENGTH),
    subject: toStorable(subject, MAX_LENGTH),
    time: Number.isNaN(time.getTime()) ? new Date(clock.now()) : time,
    // No contract reads it: replayed, it says EVENT_UNREADABLE.
    data: null,
    traceparent: undefined,
  };
}
