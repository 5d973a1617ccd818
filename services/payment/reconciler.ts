import { context } from '@opentelemetry/api';

import { type Clock, MeshError, repeat, type Stoppable } from '#kit';
import { extractContext } from '#tracing';

import { settleCharge } from './charging.ts';
import type { Payment } from './domain.ts';
import { paymentOf, type Payments } from './payments.ts';
import { takeOverCharge } from './provider-state.ts';
import type { Refund } from './refund.ts';
import { claimUnsettledRefunds } from './refund-store.ts';
import { readFromProvider, settleRefund } from './refunding.ts';
import { type Claim, claimUnsettled } from './store.ts';
import { giveBackStray, isOfOrder } from './stray-capture.ts';
import { claimNotices, type DueNotice, finishIfKnown, finishNotice, sweepNotices } from './webhook/event-store.ts';
import { DISPUTE_BEGUN } from './webhook/verify-notice.ts';

export interface Reconciler extends Stoppable {
  start(): void;
  /** Looks at once: something has come. */
  wake(): void;
}

/** Work of one kind taken at once, and so requests to Stripe under way from here: three times as many. */
const BATCH = 8;
/** An event is given up after so many tries, about 15 hours; what it was about is found by its payment's own checks. */
const MAX_TRIES = 20;
/** Longer than Stripe repeats an event by itself, which is three days (https://docs.stripe.com/webhooks#retries). */
const NOTICES_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * Finds out what nobody else does: what became of charges and refunds whose askers died or gave up, of refunds that
 * wait for the bank, and of those that the bank may send back for a month; and what Stripe's events are about. Any
 * instance takes what is due; who dies over it leaves it to be due again, after a pause that doubles with each try
 * (30 s, 1 min, 2 min … 1 h). Each kind of work goes on by itself: many of one, or an outage over one, keep none of
 * the others waiting.
 *
 * @param everyMs the pause between two looks
 */
export function createReconciler(payments: Payments, everyMs: number): Reconciler {
  const { database, clock, log, checkAfterMs: pauseMs } = payments;
  const stopping = new AbortController();
  const { signal } = stopping;
  let waker = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const wakeable: Clock = { ...clock, sleep: (ms) => clock.sleep(ms, AbortSignal.any([signal, waker.signal])) };

  /** Works off what is due; rejects with the outage that ended it. */
  async function workOff<Due>(claim: (claim: Claim) => Promise<Due[]>, work: (due: Due) => Promise<unknown>, about: (due: Due) => object): Promise<void> {
    while (!signal.aborted) {
      const due = await claim({ now: new Date(clock.now()), pauseMs, limit: BATCH });
      const outcomes = await Promise.allSettled(due.map(work));
      let outage: MeshError | undefined;
      outcomes.forEach((outcome, index) => {
        const subject = due[index];
        if (outcome.status === 'fulfilled' || subject === undefined) return;
        const error = MeshError.from(outcome.reason);
        if (error.code === 'UNAVAILABLE') outage = error;
        else log.warn({ err: error, ...about(subject) }, 'Stripe could not be brought to say what became of this; it is asked again');
      });
      // Who stops has given its own requests up.
      if (signal.aborted) return;
      if (outage) throw outage;
      if (due.length < BATCH) return;
    }
  }

  async function takeUp({ eventId, type, paymentIntentId, tries }: DueNotice): Promise<void> {
    if (await finishIfKnown(database, eventId, new Date(clock.now()))) return;
    const charge = await payments.gateway.lookUp(paymentIntentId, signal);
    const belongs = await database.transaction('payment.webhook', async (tx) => {
      const whose = charge === undefined ? 'nobody' : await takeOverCharge(tx, payments, charge);
      if (whose === 'nobody') log.debug({ eventId, type }, 'an event of Stripe is about no payment of this shop');
      if (whose !== 'stray') await finishNotice(tx, eventId, new Date(clock.now()));
      return whose;
    });
    if (belongs === 'stray' && isOfOrder(charge)) {
      await giveBackStray(payments, charge, signal);
      await finishNotice(database, eventId, new Date(clock.now()));
    }
    if (type === DISPUTE_BEGUN && belongs !== 'nobody') log.warn({ orderId: charge?.orderId, paymentIntentId }, DISPUTED);
    if (tries > 1) log.info({ eventId, type, tries }, 'an event of Stripe had its effect at last');
  }

  async function takeUpOrGiveUp(notice: DueNotice): Promise<void> {
    try {
      await takeUp(notice);
    } catch (thrown) {
      if (notice.tries < MAX_TRIES) throw thrown;
      log.error({ err: MeshError.from(thrown), ...aboutNotice(notice) }, 'an event of Stripe is given up');
      await finishNotice(database, notice.eventId, new Date(clock.now()));
    }
  }

  async function settleOne(payment: Payment): Promise<void> {
    const { orderId, state } = await within(payment, () => settleCharge(payments, payment, signal));
    log.info({ orderId, state }, 'a charge whose answer was lost is settled');
  }

  async function settleRefundOf(refund: Refund): Promise<void> {
    const payment = await paymentOf(payments, refund.orderId);
    // What the bank has yet to do, or has done, is only read.
    const settle = (): Promise<unknown> =>
      refund.state === 'REQUESTED' ? settleRefund(payments, payment, refund, signal) : readFromProvider(payments, payment, signal);
    await within(payment, settle);
  }

  async function takeUpNotices(): Promise<void> {
    waker = new AbortController();
    await workOff((claim) => claimNotices(database, claim), takeUpOrGiveUp, aboutNotice);
    await sweepNotices(database, new Date(clock.now() - NOTICES_KEPT_MS));
  }

  const settleCharges = (): Promise<void> => workOff((claim) => claimUnsettled(database, claim), settleOne, ({ orderId }) => ({ orderId }));
  const settleRefunds = (): Promise<void> =>
    workOff((claim) => claimUnsettledRefunds(database, claim), settleRefundOf, ({ orderId, refundId }) => ({ orderId, refundId }));

  return {
    start() {
      const keepOn = (work: () => Promise<void>, what: string, waits: Clock): Promise<void> =>
        repeat(work, { everyMs, signal, clock: waits, log, failure: `${what} cannot be looked at; that goes on when Stripe and the database answer` });
      running = Promise.all([
        keepOn(takeUpNotices, 'events of Stripe', wakeable),
        keepOn(settleCharges, 'payments without an outcome', clock),
        keepOn(settleRefunds, 'refunds without an outcome', clock),
      ]);
    },
    wake: () => waker.abort(),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

const DISPUTED = 'the buyer of this order disputes its payment at the bank; answer that in Stripe\'s dashboard before it is lost, and do not refund it as well';

function aboutNotice({ eventId, type }: DueNotice): object {
  return { eventId, type };
}

/** In the trace of the charge: what becomes of it belongs there, whoever finds it out. */
function within<T>({ traceParent }: Payment, work: () => Promise<T>): Promise<T> {
  return context.with(extractContext({ traceparent: traceParent ?? undefined }), work);
}
