import type { Queryable, Statement } from '#database';
import { type Log, MeshError, refusal } from '#kit';

import type { DeadLetter } from './dead-letters.ts';
import type { Event } from './event.ts';
import { failureText } from './failure-text.ts';
import { type HandlingTools, inConsumerSpan, writeEffects } from './handle-event.ts';
import type { EventHandler } from './handler.ts';
import { isOutage } from './outages.ts';

type Letter = Pick<DeadLetter, 'deadLetterId' | 'tries' | 'traceparent' | 'source' | 'type' | 'subject'> & {
  readonly id: string;
  readonly time: Date;
  /** Null where Postgres could not keep them. */
  readonly data: Event['data'] | null;
};

// Whoever has locked it handles it; the others pass over it, and over later ones of its subject,
// which is due for them until its transaction has ended: those of one subject keep their order.
const NEXT: Statement = {
  name: 'dead_letter.next',
  text: `SELECT dead_letter_id AS "deadLetterId", tries, event_id AS id, source, type, subject, event_time AS time, data, trace_parent AS traceparent
         FROM dead_letter AS letter
         WHERE for_group = $1 AND status = 'DUE' AND NOT EXISTS (
           SELECT FROM dead_letter AS earlier
           WHERE earlier.for_group = $1 AND earlier.status = 'DUE' AND earlier.subject = letter.subject AND earlier.dead_letter_id < letter.dead_letter_id)
         ORDER BY dead_letter_id LIMIT 1 FOR UPDATE OF letter SKIP LOCKED`,
};

const REPLAYED: Statement = {
  name: 'dead_letter.replayed',
  text: `UPDATE dead_letter SET status = 'REPLAYED', tries = tries + 1, update_time = now() WHERE dead_letter_id = $1`,
};

const FAILED: Statement = {
  name: 'dead_letter.failed',
  text: `UPDATE dead_letter SET status = 'DEAD', tries = tries + 1, reason = $2, message = $3, update_time = now() WHERE dead_letter_id = $1 AND status = 'DUE'`,
};

interface Given extends HandlingTools {
  readonly handlers: ReadonlyMap<string, EventHandler>;
  readonly log: Log;
}

/** Handles the dead letters of a group that are due, one after another; returns how many had their effect. Rejects in an outage: they stay due. */
export async function replayDue(given: Given, signal: AbortSignal): Promise<number> {
  let replayed = 0;
  while (!signal.aborted) {
    const outcome = await replayNext(given);
    if (outcome === 'none') break;
    if (outcome === 'replayed') replayed += 1;
  }
  return replayed;
}

/** The row is locked while its event is handled and says afterwards that it was: both in one transaction, as with the inbox. */
async function replayNext(given: Given): Promise<'none' | 'replayed' | 'failed'> {
  const { group, database, log } = given;
  let letter: Letter | undefined;
  try {
    return await database.transaction('event.replay', async (tx) => {
      [letter] = await tx.query<Letter>(NEXT, [group]);
      if (!letter) return 'none';
      const event = eventOf(letter);
      const handler = handlerOf(given.handlers, event);
      await inConsumerSpan(event, given, letter.tries + 1, () => writeEffects(tx, [handler.read(event)]));
      await tx.query(REPLAYED, [letter.deadLetterId]);
      return 'replayed';
    });
  } catch (thrown) {
    const error = MeshError.from(thrown);
    if (!letter || isOutage(error)) throw error;
    await writeFailure(database, letter, error);
    log.warn({ err: error, group, deadLetter: letter.deadLetterId, type: letter.type }, 'a dead letter was replayed and failed again');
    return 'failed';
  }
}

async function writeFailure(db: Queryable, { deadLetterId }: Letter, error: MeshError): Promise<void> {
  await db.query(FAILED, [deadLetterId, error.reason, failureText(error)]);
}

function handlerOf(handlers: ReadonlyMap<string, EventHandler>, { type }: Event): EventHandler {
  const handler = handlers.get(type);
  if (handler) return handler;
  throw refusal('EVENT_UNREADABLE', `this consumer does not handle ${type} any more; discard the dead letter`);
}

function eventOf({ id, source, type, subject, time, data, traceparent }: Letter): Event {
  if (data === null) throw refusal('EVENT_UNREADABLE', 'the data of this event could not be kept; discard the dead letter');
  return { id, source, type, subject, time, data, traceparent: traceparent ?? undefined };
}
