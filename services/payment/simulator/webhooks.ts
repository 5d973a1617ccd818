import type { Transaction } from '#database';
import { backoffMs, type Log } from '#kit';

import { type EventCause, newWebhookEvent, type WebhookEventType } from './webhook-event.ts';
import { giveUpEvent, leaseEvents, type LeasedEvent, nextDelivery, noteDelivered, postponeEvent, queueEvent } from './webhook-queue.ts';
import type { WebhookSender } from './webhook-sender.ts';
import { now, type Simulator } from './simulator.ts';

/** Something that happened, with the object that it happened to. */
export interface Happening {
  readonly type: WebhookEventType;
  readonly object: object;
}

/** Several at once, so that a slow answer does not hold the others up; also why their order is not kept. */
const BATCH = 8;
/** Longer than a batch can take: each attempt has 5 s. */
const LEASE_MS = 10_000;
/** Sent again after about 100, 200, 400 ms … and at last every 5 s. Stripe takes hours over that, which on one machine serves nobody. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** As long as Stripe tries (https://docs.stripe.com/webhooks#automatic-retries). */
const GIVE_UP_AFTER_MS = 3 * 24 * 60 * 60 * 1_000;

/** Queues what happened, in its transaction; nothing where nobody is told. */
export async function announce(simulator: Simulator, tx: Transaction, cause: EventCause | undefined, happenings: readonly Happening[]): Promise<void> {
  if (!simulator.hasWebhook) return;
  for (const { type, object } of happenings) {
    await queueEvent(tx, newWebhookEvent(simulator, type, object, cause), simulator.misbehaviour.delivery());
  }
}

/** Delivers what is due, each at least once and in any order; resolves with the time at which more will be. */
export function createDelivery(simulator: Simulator, sender: WebhookSender, signal: AbortSignal, log: Log): () => Promise<Date | undefined> {
  const { db, random } = simulator;
  let isFailing = false;

  async function deliver({ id, payload, attempts, createdAt }: LeasedEvent): Promise<void> {
    const failure = await attempt(() => sender.send(payload, signal));
    if (failure === undefined) {
      isFailing = false;
      return noteDelivered(db, id, now(simulator));
    }
    // It was cut, not refused: whoever comes next sends it at once.
    if (signal.aborted) return postponeEvent(db, id, now(simulator));
    if (!isFailing) log.warn({ eventId: id, failure }, 'the webhook takes no events; they are kept, and sent again until it does');
    isFailing = true;
    const atMs = now(simulator).getTime();
    if (atMs - createdAt.getTime() > GIVE_UP_AFTER_MS) return giveUpEvent(db, id);
    return postponeEvent(db, id, new Date(atMs + backoffMs(attempts + 1, FIRST_RETRY_MS, MAX_RETRY_MS, random)));
  }

  return async () => {
    const leased = await leaseEvents(db, now(simulator), { leaseMs: LEASE_MS, limit: BATCH });
    await Promise.all(leased.map(deliver));
    return nextDelivery(db);
  };
}

/** Why it did not arrive, in a word; undefined when it did. A redirect is not followed, so it is a failure (as at Stripe). */
async function attempt(send: () => Promise<number>): Promise<string | undefined> {
  try {
    const status = await send();
    return status >= 200 && status < 300 ? undefined : `status ${status}`;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
