import type { Database } from '#database';
import { type Clock, type Log, type MeshError, type Random, refusal } from '#kit';

import type { CardGateway } from './card-gateway.ts';
import type { Payment } from './domain.ts';
import type { PaymentWriter } from './payment-writer.ts';
import { findPayment } from './store.ts';

/** What the payment service works with. */
export interface Payments {
  readonly database: Database;
  readonly writer: PaymentWriter;
  readonly gateway: CardGateway;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For so long a charge or refund without an outcome is its asker's business, before the reconciler asks. */
  readonly checkAfterMs: number;
}

const HOUR_MS = 60 * 60 * 1_000;
/** Stripe keeps a key for at least 24 hours (https://docs.stripe.com/api/idempotent_requests); the hour is for clocks that differ, and for a process that is held up. */
const KEY_SENT_MS = 23 * HOUR_MS;
/** What was sent last at 23 h has arrived by then, and Stripe's search finds it: after an hour at most (https://docs.stripe.com/search#data-freshness), and 15 minutes to spare. */
const KEY_SETTLED_MS = 24 * HOUR_MS + 15 * 60 * 1_000;

/**
 * What a key of an age is good for. `send`: up to 23 h the same request brings the first answer, or has its effect now.
 * `read`: up to 24 h 15 min the key may be forgotten, so that nothing is sent; what is not found may still be on its
 * way. `settled`: what is not found then was never made.
 */
export type KeyUse = 'send' | 'read' | 'settled';

/** @param firstUsed when the key was made */
export function keyUse({ clock }: Pick<Payments, 'clock'>, firstUsed: Date): KeyUse {
  const ageMs = clock.now() - firstUsed.getTime();
  if (ageMs <= KEY_SENT_MS) return 'send';
  return ageMs <= KEY_SETTLED_MS ? 'read' : 'settled';
}

/** PAYMENT_NOT_FOUND. */
export async function paymentOf({ database }: Pick<Payments, 'database'>, orderId: string): Promise<Payment> {
  const payment = await findPayment(database, orderId);
  if (payment) return payment;
  throw paymentNotFound(orderId);
}

/** What is said of an order without a payment, and to whoever asks for another's. */
export function paymentNotFound(orderId: string): MeshError {
  return refusal('PAYMENT_NOT_FOUND', `order ${orderId} has no payment; charge it first`, { metadata: { order_id: orderId } });
}

/** Now, and when the reconciler is to look at what is written now. */
export function timesOf({ clock, checkAfterMs }: Pick<Payments, 'clock' | 'checkAfterMs'>): { now: Date; checkTime: Date } {
  const nowMs = clock.now();
  return { now: new Date(nowMs), checkTime: new Date(nowMs + checkAfterMs) };
}
