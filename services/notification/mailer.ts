import { repeat, type Stoppable } from '#kit';

import { deliver, type DeliveryTools, type Ending } from './delivery.ts';
import { renew, takeDue, type TakenMail } from './mail-queue.ts';
import { createPace } from './pace.ts';

export interface MailerOptions extends Omit<DeliveryTools, 'hooks' | 'leaseMs'> {
  readonly hooks?: DeliveryTools['hooks'];
  /** Mails a second at most. */
  readonly ratePerSecond: number;
  /** Mails on their way at once, each over a connection of its own. Default 4. */
  readonly concurrency?: number;
  /** How long a mail stays with a process that died. Default 15,000; renewed three times in that span. */
  readonly leaseMs?: number;
  /** How often to look for mails that are due. Default 200. */
  readonly pollMs?: number;
  /** How long a stop lets mails finish that are on their way. Default 5,000. */
  readonly graceMs?: number;
}

export interface Mailer extends Stoppable {
  start(): void;
}

/** Sends what is due. Every instance does it; a mail is with one of them at a time. */
export function createMailer(options: MailerOptions): Mailer {
  const { database, channel, clock, log, ratePerSecond, concurrency = 4, leaseMs = 15_000, pollMs = 200, graceMs = 5_000 } = options;
  const tools: DeliveryTools = { ...options, leaseMs, hooks: options.hooks ?? {} };
  const pace = createPace(ratePerSecond, clock);
  const held = new Map<string, TakenMail>();
  const onTheWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  const givingUp = new AbortController();
  const ended = new AbortController();
  let isFailing = false;
  let loops: Promise<unknown> = Promise.resolve();

  async function sendAllDue(): Promise<void> {
    while (!stopping.signal.aborted) {
      const free = concurrency - onTheWay.size;
      if (free === 0) {
        await Promise.race(onTheWay);
        continue;
      }
      const places = Math.min(free, pace.left());
      // Not to wait for one that is on its way: it may hang for minutes, and the others are allowed again much earlier.
      if (places === 0) return;
      const taken = await takeDue(database, { limit: places, leaseMs, except: [...held.keys()] });
      pace.take(taken.length);
      taken.forEach(begin);
      if (taken.length < places) return;
    }
  }

  function begin(taken: TakenMail): void {
    held.set(taken.notificationId, taken);
    const done = deliver(tools, taken, givingUp.signal)
      .then((ending) => report(taken, ending))
      .catch((err: unknown) => log.warn({ err, notification: taken.notificationId }, 'a mail was left to whoever takes it up next'))
      .finally(() => {
        held.delete(taken.notificationId);
        onTheWay.delete(done);
      });
    onTheWay.add(done);
  }

  /** Once when it begins and once when it is over: an outage has many mails. */
  function report({ notificationId: notification }: TakenMail, ending: Ending): void {
    if (ending.kind === 'not-now' && !isFailing) log.warn({ notification, reason: ending.reason }, 'mail cannot be sent now; it is tried again');
    if (ending.kind === 'taken' && isFailing) log.info('mail can be sent again');
    if (ending.kind === 'refused') log.warn({ notification, reason: ending.reason }, 'a mail was refused for good');
    if (ending.kind === 'unknown') log.warn({ notification, reason: ending.reason }, 'nobody knows whether a mail was taken; it is not sent again');
    if (ending.kind === 'not-now' || ending.kind === 'taken') isFailing = ending.kind === 'not-now';
  }

  async function renewHeld(): Promise<void> {
    if (held.size > 0) await renew(database, [...held.values()], leaseMs);
  }

  async function letFinish(): Promise<void> {
    const settled = Promise.allSettled(onTheWay);
    const over = new AbortController();
    await Promise.race([settled, clock.sleep(graceMs, over.signal).catch(() => {})]);
    over.abort();
    givingUp.abort(new Error('the shop is stopping'));
    await settled;
  }

  return {
    start() {
      const failure = 'the mailer cannot reach its database; it goes on when it can';
      const looking = repeat(sendAllDue, { everyMs: pollMs, signal: stopping.signal, clock, log, failure });
      const renewing = repeat(renewHeld, { everyMs: leaseMs / 3, signal: ended.signal, clock, log, failure });
      loops = Promise.all([looking, renewing]);
    },
    async stop() {
      stopping.abort();
      await letFinish();
      ended.abort();
      await loops;
      // What was being taken up when the stop began: it was given up at once.
      await Promise.allSettled(onTheWay);
      await channel.stop();
    },
  };
}
