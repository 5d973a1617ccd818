import type { Queryable, Statement, Transaction } from '#database';

import type { DeliveryPlan } from './misbehaviour.ts';
import type { WebhookEvent } from './webhook-event.ts';

/** An event whose delivery is somebody's until its lease runs out. */
export interface LeasedEvent {
  readonly id: string;
  readonly payload: string;
  readonly createdAt: Date;
  /** How often it was sent in vain. */
  readonly attempts: number;
}

const ADD: Statement = {
  name: 'stripe_simulator.add_webhook_event',
  text: `INSERT INTO webhook_event (id, payload, created_at, due_at, deliveries_left) VALUES ($1, $2, $3, $4, $5)`,
};
const LEASE: Statement = {
  name: 'stripe_simulator.lease_webhook_events',
  text: `UPDATE webhook_event SET due_at = $2
         WHERE id IN (SELECT id FROM webhook_event WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, payload, created_at AS "createdAt", attempts`,
};
/** The last delivery removes it, one before that makes it due at once. */
const DELIVERED: Statement = {
  name: 'stripe_simulator.webhook_event_delivered',
  text: `WITH last AS (DELETE FROM webhook_event WHERE id = $1 AND deliveries_left = 1)
         UPDATE webhook_event SET deliveries_left = deliveries_left - 1, due_at = $2 WHERE id = $1 AND deliveries_left > 1`,
};
const POSTPONE: Statement = {
  name: 'stripe_simulator.postpone_webhook_event',
  text: 'UPDATE webhook_event SET attempts = attempts + 1, due_at = $2 WHERE id = $1',
};
const GIVE_UP: Statement = {
  name: 'stripe_simulator.give_up_webhook_event',
  text: 'DELETE FROM webhook_event WHERE id = $1',
};
const NEXT: Statement = {
  name: 'stripe_simulator.next_webhook_event',
  text: 'SELECT min(due_at) AS at FROM webhook_event',
};

/** Queues an event in the transaction of what it tells of, so that neither is without the other. */
export async function queueEvent(tx: Transaction, { id, payload, createdAt }: WebhookEvent, { deliveries, delayMs }: DeliveryPlan): Promise<void> {
  await tx.query(ADD, [id, payload, createdAt, new Date(createdAt.getTime() + delayMs), deliveries]);
}

/** Takes up to `limit` events that are due, for `leaseMs`: what a killed process had taken is due again after that. */
export function leaseEvents(db: Queryable, now: Date, { leaseMs, limit }: { leaseMs: number; limit: number }): Promise<LeasedEvent[]> {
  return db.query<LeasedEvent>(LEASE, [now, new Date(now.getTime() + leaseMs), limit]);
}

export async function noteDelivered(db: Queryable, id: string, now: Date): Promise<void> {
  await db.query(DELIVERED, [id, now]);
}

export async function postponeEvent(db: Queryable, id: string, dueAt: Date): Promise<void> {
  await db.query(POSTPONE, [id, dueAt]);
}

export async function giveUpEvent(db: Queryable, id: string): Promise<void> {
  await db.query(GIVE_UP, [id]);
}

/** When the next event is to be sent; undefined when there is none. */
export async function nextDelivery(db: Queryable): Promise<Date | undefined> {
  const [row] = await db.query<{ at: Date | null }>(NEXT, []);
  return row?.at ?? undefined;
}
