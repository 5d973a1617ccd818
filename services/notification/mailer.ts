import { repeat, type Stoppable } from '#kit';

import { deliver, type DeliveryTools, type Ending } from './delivery.ts';
import { askOnceEach } from './directory.ts';
import { renew, takeDue, type TakenMail } from './mail-queue.ts';
import { createMailWriter } from './mail-writer.ts';
import { createPace } from './pace.ts';

export interface MailerOptions extends Omit<DeliveryTools, 'hooks' | 'writer'> {
  readonly hooks?: DeliveryTools['hooks'];
  /** Mails a second at most. */
  readonly ratePerSecond: number;
  /** Mails on their way at once, each over a connection of its own. Default 4. */
  readonly concurrency?: number;
  /** How long a mail stays with a process that died. Default 15,000; renewed three times in that span while it is on its way. */
  readonly leaseMs?: number;
  /** How often to look for mails that are due. Default 200. */
  readonly pollMs?: number;
  /** How long a stop lets mails finish that are on their way. Default 5,000. */
  readonly graceMs?: number;
}

export interface Mailer extends Stoppable {
  start(): void;
}

/** Mails taken up at once, for each that can be on its way: 16 by one statement, of which 12 wait for the first 4. */
const TAKEN_FOR_EACH = 4;

/** A mail in the hands of this process, and what it is delivered with. */
interface InHand {
  readonly mail: TakenMail;
  readonly own: DeliveryTools;
}

/** Sends what is due. Every instance does it; a mail is with one of them at a time. */
export function createMailer(options: MailerOptions): Mailer {
  const { database, channel, clock, log, ratePerSecond, concurrency = 4, leaseMs = 15_000, pollMs = 200, graceMs = 5_000 } = options;
  const tools: DeliveryTools = { ...options, writer: createMailWriter({ ...options, leaseMs }), hooks: options.hooks ?? {} };
  const pace = createPace(ratePerSecond, clock);
  /** Taken up and not begun. These are not renewed: a mail that hangs holds up none for longer than a lease. */
  const waiting: InHand[] = [];
  const onTheWay = new Map<TakenMail, Promise<void>>();
  const stopping = new AbortController();
  const givingUp = new AbortController();
  const ended = new AbortController();
  let isFailing = false;
  let loops: Promise<unknown> = Promise.resolve();

  async function sendAllDue(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (onTheWay.size >= concurrency) {
        await Promise.race(onTheWay.values());
        continue;
      }
      const places = Math.min(TAKEN_FOR_EACH * concurrency, pace.left());
      // Not to wait for one that is on its way: it may hang for minutes, and the others are allowed again much earlier.
      if (places === 0) return;
      const taken = await takeDue(database, { limit: places, leaseMs, except: [...onTheWay.keys()].map(({ notificationId }) => notificationId) });
      pace.take(taken.length);
      const own = { ...tools, directory: askOnceEach(tools.directory) };
      waiting.push(...taken.map((mail) => ({ mail, own })));
      beginWaiting();
      if (taken.length < places) return;
    }
  }

  function beginWaiting(): void {
    while (onTheWay.size < concurrency && !stopping.signal.aborted) {
      const next = waiting.shift();
      if (!next) return;
      begin(next);
    }
  }

  function begin({ mail, own }: InHand): void {
    const done = deliver(own, mail, givingUp.signal)
      .then((ending) => report(mail, ending))
      .catch((err: unknown) => log.warn({ err, notification: mail.notificationId }, 'a mail was left to whoever takes it up next'))
      .finally(() => {
        onTheWay.delete(mail);
        beginWaiting();
      });
    onTheWay.set(mail, done);
  }

  /** Once when it begins and once when it is over: an outage has many mails. */
  function report({ notificationId: notification }: TakenMail, ending: Ending): void {
    if (ending.kind === 'not-now' && !isFailing) log.warn({ notification, reason: ending.reason }, 'mail cannot be sent now; it is tried again');
    if (ending.kind === 'taken' && isFailing) log.info('mail can be sent again');
    if (ending.kind === 'refused') log.warn({ notification, reason: ending.reason }, 'a mail was refused for good');
    if (ending.kind === 'unknown') log.warn({ notification, reason: ending.reason }, 'nobody knows whether a mail was taken; it is not sent again');
    if (ending.kind === 'not-now' || ending.kind === 'taken') isFailing = ending.kind === 'not-now';
  }

  async function renewOnTheWay(): Promise<void> {
    if (onTheWay.size > 0) await renew(database, [...onTheWay.keys()], leaseMs);
  }

  async function letFinish(): Promise<void> {
    const settled = Promise.allSettled(onTheWay.values());
    const over = new AbortController();
    await Promise.race([settled, clock.sleep(graceMs, over.signal).catch(() => {})]);
    over.abort();
    givingUp.abort(new Error('the shop is stopping'));
    await settled;
  }

  /** Others can have them now, and not only when the lease runs out. */
  async function letGo(): Promise<void> {
    if (waiting.length === 0) return;
    const mails = waiting.splice(0).map(({ mail }) => mail);
    await renew(database, mails, 0).catch((err: unknown) => log.warn({ err }, `mails that were taken up wait for ${leaseMs} ms`));
  }

  return {
    start() {
      const failure = 'the mailer cannot reach its database; it goes on when it can';
      const looking = repeat(sendAllDue, { everyMs: pollMs, signal: stopping.signal, clock, log, failure });
      const renewing = repeat(renewOnTheWay, { everyMs: leaseMs / 3, signal: ended.signal, clock, log, failure });
      loops = Promise.all([looking, renewing]);
    },
    async stop() {
      stopping.abort();
      await letFinish();
      ended.abort();
      await loops;
      await letGo();
      await channel.stop();
    },
  };
}
