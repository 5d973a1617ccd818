import type { DeadLetter } from '#events';

import { table } from '../output.ts';
import { cloudEvent, nameOf } from './render-events.ts';

/** For people: a line each, with why it was given up, and who has decided what about it. */
export function renderDeadLetters(letters: readonly DeadLetter[]): string {
  const rows = letters.map(({ deadLetterId, group, type, subject, tries, createTime, reason, message }) => {
    return [deadLetterId, group, nameOf(type), subject, String(tries), createTime.toISOString(), `${reason}: ${message}`];
  });
  const decisions = letters.flatMap(({ deadLetterId, status, who, why, updateTime }) => {
    return who === null ? [] : [[updateTime.toISOString(), deadLetterId, `${who} ${DECISIONS[status]}: ${why}`]];
  });
  const list = table([['ID', 'GROUP', 'TYPE', 'SUBJECT', 'TRIES', 'SINCE', 'WHY'], ...rows]);
  return decisions.length === 0 ? list : `${list}\n\n${table(decisions)}`;
}

const DECISIONS: Readonly<Record<DeadLetter['status'], string>> = {
  // Somebody replayed it, and it failed again.
  DEAD: 'replayed it, in vain',
  DUE: 'replays it',
  REPLAYED: 'replayed it',
  DISCARDED: 'discarded it',
};

/** For programs: the event as CloudEvents writes it, and what became of it. */
export function deadLetterForPrograms({ deadLetterId, group, status, reason, message, tries, who, why, createTime, updateTime, ...event }: DeadLetter): object {
  const { eventId: id, eventTime: time, source, type, subject, data, traceparent } = event;
  return {
    ...{ deadLetterId, group, status, reason, message, tries, who, why, createTime, updateTime },
    event: cloudEvent({ id, source, type, subject, time, data, traceparent: traceparent ?? undefined }),
  };
}
