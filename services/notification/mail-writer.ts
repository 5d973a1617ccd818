import type { Tracer } from '@opentelemetry/api';

import { createGroupCommit, type Database } from '#database';
import type { Clock } from '#kit';

import { type Conclusion, concludeAll, type HandOver, handOverAll, type Held } from './mail-queue.ts';

/** The two writes of every mail. Those of mails that are on their way together share a commit. */
export interface MailWriter {
  /** Notes that the mail leaves from here on. False when somebody else has it: then nothing may leave. */
  handOver(mail: HandOver): Promise<boolean>;
  conclude(conclusion: Conclusion): Promise<void>;
}

export interface MailWriterOptions {
  readonly database: Database;
  readonly tracer: Tracer;
  readonly clock: Clock;
  /** So long a mail that was handed over stays with this process, unless it is renewed. */
  readonly leaseMs: number;
}

export function createMailWriter({ database, tracer, clock, leaseMs }: MailWriterOptions): MailWriter {
  const handOver = createGroupCommit<HandOver, boolean>({ name: 'notification.hand_over', tracer, clock }, async (mails) => {
    const noted = new Set((await handOverAll(database, mails, leaseMs)).map(nameOf));
    return mails.map(({ held }) => noted.delete(nameOf(held)));
  });
  const conclude = createGroupCommit<Conclusion, void>({ name: 'notification.conclude', tracer, clock }, async (conclusions) => {
    await concludeAll(database, conclusions);
    return [];
  });
  return {
    handOver: async (mail) => (await handOver(mail)) ?? false,
    conclude,
  };
}

/** Not by its id alone: who has it no more must not get the answer of who has it now. */
function nameOf({ notificationId, fence }: Held): string {
  return `${notificationId} ${fence}`;
}
