import { SpanKind, type Tracer } from '@opentelemetry/api';

import type { Database } from '#database';
import { backoffMs, type Clock, type Log, MeshError, type Random } from '#kit';
import { extractContext, withSpan } from '#tracing';

import { isMailAddress } from './channel/mail-address.ts';
import type { MailChannel, MailOutcome } from './channel/mail-channel.ts';
import type { Directory } from './directory.ts';
import { putBack, type TakenMail } from './mail-queue.ts';
import type { MailWriter } from './mail-writer.ts';
import type { MailerHooks } from './mailer-hooks.ts';
import { oneLine } from './one-line.ts';

/** The pause after a first failed try, which doubles with every further one: 1, 2, 4 … 512 s, then 15 min, each ±20 %. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
/** How long after its first failure a mail is tried, about 100 times: after a day nobody waits for it any more. */
const PATIENCE_MS = 24 * 60 * 60_000;
/** Pauses of noting what became of a mail, while the database is away: 100, 200 … 5,000 ms. */
const FIRST_NOTE_PAUSE_MS = 100;
const LONGEST_NOTE_PAUSE_MS = 5_000;

export interface DeliveryTools {
  readonly database: Database;
  readonly channel: MailChannel;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly hooks: MailerHooks;
  readonly writer: MailWriter;
}

/** `not-left`: nobody has tried, so it is as it was. */
export type Ending = MailOutcome | { readonly kind: 'not-left' };

/**
 * Brings one mail to its next state: SENT, FAILED, UNCONFIRMED, or PENDING for another try. Rejects when it cannot
 * even be told what became of it, or somebody else has it: then whoever takes it up next decides by its state.
 */
export function deliver(tools: DeliveryTools, taken: TakenMail, signal: AbortSignal): Promise<Ending> {
  const parent = extractContext({ traceparent: taken.traceParent ?? undefined });
  const settings = { parent, kind: SpanKind.PRODUCER, attributes: { 'notification.id': taken.notificationId } };
  return withSpan(tools.tracer, 'notification.mail', settings, async (span) => {
    await tools.hooks.afterTake?.(taken.notificationId);
    const ending = taken.state === 'SENDING' ? await endingOfDead(tools.channel, taken) : await send(tools, taken, signal);
    span.setAttribute('notification.outcome', ending.kind);
    await tools.hooks.afterAnswer?.(taken.notificationId);
    await noteInTheEnd(tools, taken, ending, signal);
    return ending;
  });
}

/** What became of a mail whose sender died, or hangs, while it was SENDING. */
async function endingOfDead(channel: MailChannel, { notificationId, handedOverTo }: TakenMail): Promise<Ending> {
  const wasTaken = await channel.wasTaken(notificationId, handedOverTo ?? undefined);
  if (wasTaken === undefined) return { kind: 'unknown', reason: 'the process that sent it ended before the mail server had answered' };
  return wasTaken ? { kind: 'taken' } : { kind: 'not-left' };
}

async function send({ writer, channel, directory, hooks, log }: DeliveryTools, taken: TakenMail, signal: AbortSignal): Promise<Ending> {
  const { notificationId: id, userId, subject, body, createTime } = taken;
  const recipient = await directory.recipientOf(userId, signal).catch((thrown: unknown) => MeshError.from(thrown));
  if (recipient instanceof MeshError) {
    return signal.aborted ? { kind: 'not-left' } : { kind: 'not-now', reason: `the users cannot be asked for the address (${recipient.reason})` };
  }
  if (!recipient) return { kind: 'refused', reason: 'there is no such user any more' };
  const { name, address } = recipient;
  if (!isMailAddress(address)) return { kind: 'refused', reason: 'the address of the user is none that mail can be sent to' };

  let isHandedOver = false;
  async function handOver(to?: string): Promise<void> {
    isHandedOver = true;
    if (!hooks.withoutNote && !(await writer.handOver({ held: taken, to }))) throw new Error(`another process has notification ${id}`);
    await hooks.afterHandOver?.(id);
  }
  const mail = { id, to: { name: oneLine(name), address }, subject, text: body, date: createTime };
  try {
    const outcome = await channel.send(mail, { handOver, signal });
    return outcome.kind === 'not-now' && signal.aborted ? { kind: 'not-left' } : outcome;
  } catch (thrown) {
    if (!isHandedOver) {
      // The channel itself is broken. It counts as a try, so that it does not go on for ever.
      log.warn({ err: thrown, notification: id }, 'a mail cannot be prepared');
      return { kind: 'not-now', reason: 'the mail cannot be prepared; see the log' };
    }
    // It could not be noted that it leaves, or was, and the answer was lost: it has not left.
    if (MeshError.from(thrown).reason === 'DATABASE_UNAVAILABLE') return { kind: 'not-left' };
    throw thrown;
  }
}

/** While the database is away the answer is kept here: it is known now, and would be lost. */
async function noteInTheEnd(tools: DeliveryTools, taken: TakenMail, ending: Ending, signal: AbortSignal): Promise<void> {
  const { clock, random } = tools;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await note(tools, taken, ending);
      return;
    } catch (thrown) {
      if (signal.aborted || MeshError.from(thrown).reason !== 'DATABASE_UNAVAILABLE') throw thrown;
      await clock.sleep(backoffMs(attempt, FIRST_NOTE_PAUSE_MS, LONGEST_NOTE_PAUSE_MS, random), signal).catch(() => {});
    }
  }
}

function note({ database, writer, random }: DeliveryTools, held: TakenMail, ending: Ending): Promise<void> {
  switch (ending.kind) {
    case 'taken':
      return writer.conclude({ held, state: 'SENT', reason: '' });
    case 'refused':
      return writer.conclude({ held, state: 'FAILED', reason: ending.reason });
    case 'unknown':
      return writer.conclude({ held, state: 'UNCONFIRMED', reason: ending.reason });
    case 'not-left':
      return putBack(database, held, { afterMs: 0, failure: undefined });
    case 'not-now': {
      if (held.failingMs >= PATIENCE_MS) return writer.conclude({ held, state: 'FAILED', reason: `given up after a day: ${ending.reason}` });
      return putBack(database, held, { afterMs: backoffMs(held.attempt + 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random), failure: ending.reason });
    }
  }
}
