import { newSuffix, now, type Simulator } from './simulator.ts';

/** What the shop is told of: https://docs.stripe.com/api/events/types. */
export type WebhookEventType =
  | 'payment_intent.succeeded'
  | 'payment_intent.payment_failed'
  | 'charge.refunded'
  | 'refund.updated'
  | 'refund.failed';

export interface WebhookEvent {
  /** `evt_…`; who is told twice knows it by this. */
  readonly id: string;
  /** The body to the byte. */
  readonly payload: string;
  readonly createdAt: Date;
}

/** The request that brought it about; undefined for what happened by itself. */
export interface EventCause {
  readonly requestId: string;
  readonly key: string;
}

/** As Stripe sends it: https://docs.stripe.com/api/events/object. `object` is the payment intent, charge or refund as it is now. */
export function newWebhookEvent(simulator: Simulator, type: WebhookEventType, object: object, cause: EventCause | undefined): WebhookEvent {
  const id = `evt_${newSuffix(simulator)}`;
  const createdAt = now(simulator);
  const event = {
    id,
    object: 'event',
    api_version: null,
    created: Math.floor(createdAt.getTime() / 1000),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: cause?.requestId ?? null, idempotency_key: cause?.key ?? null },
    type,
  };
  return { id, payload: JSON.stringify(event, undefined, 2), createdAt };
}
