import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';

import { type Event, newEvent } from '#events';
import { type Clock, type Money, newId, type Random, toProtoMoney } from '#kit';
import {
  PaymentCompletedSchema,
  PaymentFailedSchema,
  PaymentRefundedSchema,
  PaymentRefundFailedSchema,
} from '#proto/shop/payment/v1/payment_events_pb.js';

import type { Payment } from './domain.ts';
import type { Refund } from './refund.ts';
import type { Settlement } from './store.ts';

// Published: what happened to an order's payment. Consumed: nothing.

export interface EventSource {
  readonly clock: Clock;
  readonly random: Random;
}

/** The event that announces how the charge of an amount ended. */
export function settledEvent(source: EventSource, money: Money, settlement: Settlement): Event {
  const { orderId, paymentIntentId } = settlement;
  const amount = toProtoMoney(money);
  if (settlement.state === 'COMPLETED') return eventOf(source, orderId, PaymentCompletedSchema, { orderId, amount, paymentIntentId });
  return eventOf(source, orderId, PaymentFailedSchema, { orderId, amount, declineCode: settlement.declineCode });
}

/** The event that announces a refund that counts as given back, with the payment as it is then. */
export function refundedEvent(source: EventSource, payment: Payment, { orderId, amount }: Refund): Event {
  const whole = payment.refunded.minor === payment.amount.minor;
  return eventOf(source, orderId, PaymentRefundedSchema, { orderId, amount: toProtoMoney(amount), refundedTotal: toProtoMoney(payment.refunded), whole });
}

/** The event that announces that a refund came back which had counted as given back. */
export function refundFailedEvent(source: EventSource, payment: Payment, { orderId, amount, stripeRefundId, failure }: Refund): Event {
  return eventOf(source, orderId, PaymentRefundFailedSchema, {
    orderId,
    amount: toProtoMoney(amount),
    refundedTotal: toProtoMoney(payment.refunded),
    stripeRefundId: stripeRefundId ?? '',
    failure: failure ?? '',
  });
}

function eventOf<M extends DescMessage>({ clock, random }: EventSource, subject: string, contract: M, message: MessageInitShape<M>): Event {
  return newEvent(contract, message, { id: newId(clock, random), source: 'payment', subject, time: new Date(clock.now()) });
}
