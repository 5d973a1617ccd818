import type { Database } from '#database';
import { backoffMs, type Clock, type Log, MeshError, type Random, type Reason, repeat, type Stoppable } from '#kit';
import type { Client } from '#mesh';
import type { AccountService, IssueVerificationCodeResponse } from '#proto/shop/user/v1/account_pb.js';

import { isMailAddress } from '../channel/mail-address.ts';
import type { MailChannel } from '../channel/mail-channel.ts';
import { oneLine } from '../one-line.ts';
import { type DueVerification, dropVerification, putBackVerification, takeDueVerifications } from './verification-queue.ts';
import { verificationWords } from './verification-words.ts';

/** Mails on their way at once. */
const AT_ONCE = 4;
/** How long one stays with a process that died: longer than a mail takes at most. */
const LEASE_MS = 120_000;
/** How often to look for mails that are due: somebody waits for each. */
const POLL_MS = 500;
/** The pause after a first failed try, which doubles with every further one: 1, 2, 4 … 512 s, then 15 min, each ±20 %. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15 * 60_000;

export interface VerificationSenderOptions {
  readonly database: Database;
  readonly channel: MailChannel;
  readonly accounts: Client<typeof AccountService>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What becomes of a mail. `again`: it was not sent, or nobody knows. */
type Fate = { readonly kind: 'over' } | { readonly kind: 'again'; readonly reason: string };

const OVER: Fate = { kind: 'over' };

/**
 * Sends the mails that verify addresses. Beside the notifications, since these are kept and listed: here the code is made
 * for each try and is nowhere but in the mail, and one that is sent twice does no harm, for its code replaces the first.
 * It tries until the user service has nothing more to send, two days at most.
 */
export function createVerificationSender(options: VerificationSenderOptions): Stoppable & { start(): void } {
  const { database, clock, random, log } = options;
  const stopping = new AbortController();
  let looking: Promise<void> = Promise.resolve();
  let isFailing = false;

  async function deliver(due: DueVerification): Promise<void> {
    const fate = await send(options, due, stopping.signal);
    if (fate.kind === 'over') {
      isFailing = false;
      return dropVerification(database, due);
    }
    // Once: an outage has many mails.
    if (!isFailing) log.warn({ verification: due.verificationId, reason: fate.reason }, 'a mail with a code cannot be sent now; it is tried again');
    isFailing = true;
    await putBackVerification(database, due, backoffMs(due.attempt, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random));
  }

  async function sendAllDue(): Promise<void> {
    for (let taken = AT_ONCE; taken === AT_ONCE && !stopping.signal.aborted; ) {
      const due = await takeDueVerifications(database, AT_ONCE, LEASE_MS);
      await Promise.all(due.map(deliver));
      taken = due.length;
    }
  }

  return {
    start() {
      const failure = 'mails with codes wait for the database; they are sent when it is back';
      looking = repeat(sendAllDue, { everyMs: POLL_MS, signal: stopping.signal, clock, log, failure });
    },
    async stop() {
      stopping.abort(new Error('the shop is stopping'));
      await looking;
    },
  };
}

async function send({ accounts, channel, clock }: VerificationSenderOptions, { verificationId, attempt }: DueVerification, signal: AbortSignal): Promise<Fate> {
  try {
    const issued = await issue(accounts, verificationId, signal);
    const words = issued && verificationWords(issued);
    if (!words || !isMailAddress(issued.email)) return OVER;
    const to = { name: oneLine(issued.displayName), address: issued.email };
    const mail = { id: `${verificationId}-${attempt}`, to, subject: words.subject, text: words.body, date: new Date(clock.now()) };
    const outcome = await channel.send(mail, { handOver: async () => {}, signal });
    return outcome.kind === 'taken' || outcome.kind === 'refused' ? OVER : { kind: 'again', reason: outcome.reason };
  } catch (thrown) {
    return { kind: 'again', reason: MeshError.from(thrown).reason };
  }
}

/** Undefined when there is nothing to send, or not any more. */
async function issue(accounts: VerificationSenderOptions['accounts'], verificationId: string, signal: AbortSignal): Promise<IssueVerificationCodeResponse | undefined> {
  try {
    return await accounts.issueVerificationCode({ verificationId }, { signal });
  } catch (thrown) {
    if (MeshError.from(thrown).reason === ('VERIFICATION_NOT_FOUND' satisfies Reason)) return undefined;
    throw thrown;
  }
}
