import type { Clock } from '#kit';

import { composeMail } from './compose-mail.ts';
import { createLeavingMail } from './leaving-mail.ts';
import type { MailChannel } from './mail-channel.ts';
import { outcomeOf } from './smtp-failure.ts';
import type { SmtpServer } from './smtp-server.ts';
import { openSmtpSession, SMTP_TIMEOUTS, type SmtpSession, type SmtpTimeouts } from './smtp-session.ts';

export interface SmtpChannelOptions {
  readonly server: SmtpServer;
  /** The sender's bare address. */
  readonly from: string;
  readonly clock: Clock;
  readonly timeouts?: SmtpTimeouts;
  /** Authorities to trust instead of the usual ones, PEM. */
  readonly ca?: string;
}

/** Mails that a session takes before it is closed: servers end those that stay for ever. */
const MAILS_OF_A_SESSION = 100;
/** A session that lay idle for longer may have been forgotten on the way, with nobody told. */
const IDLE_MS = 30_000;

interface UsedSession {
  readonly session: SmtpSession;
  /** That it has taken. */
  readonly mails: number;
  readonly lastUsed: number;
}

/** Sends by SMTP, over sessions that are used again: as many as mails are sent at once. */
export function createSmtpChannel({ server, from, clock, timeouts = SMTP_TIMEOUTS, ca }: SmtpChannelOptions): MailChannel {
  const idle: UsedSession[] = [];
  let isStopped = false;

  function takeIdle(): UsedSession | undefined {
    for (let used = idle.pop(); used; used = idle.pop()) {
      if (used.session.isOpen() && clock.now() - used.lastUsed < IDLE_MS) return used;
      used.session.close();
    }
    return undefined;
  }

  function keep(session: SmtpSession, mails: number): void {
    if (isStopped || mails >= MAILS_OF_A_SESSION) session.close();
    else idle.push({ session, mails, lastUsed: clock.now() });
  }

  return {
    async send(mail, { handOver, signal: given }) {
      const signal = AbortSignal.any([given, AbortSignal.timeout(timeouts.mailMs)]);
      const bytes = await composeMail(mail, from);
      const leaving = createLeavingMail(bytes, handOver);
      let isOpen = false;
      try {
        const { session, mails } = takeIdle() ?? { session: await openSmtpSession({ server, timeouts, ca }, signal), mails: 0 };
        isOpen = true;
        await session.send({ from, to: mail.to.address, size: bytes.length }, leaving.stream, signal);
        keep(session, mails + 1);
        return { kind: 'taken' };
      } catch (thrown) {
        const left = await leaving.abandon();
        if (left.kind === 'refused') throw left.thrown;
        return outcomeOf(thrown, left.kind === 'begun' ? 'leaving' : isOpen ? 'announcing' : 'opening');
      }
    },
    // A mail server does not tell.
    wasTaken: async () => undefined,
    async stop() {
      isStopped = true;
      for (const { session } of idle.splice(0)) session.close();
    },
  };
}
