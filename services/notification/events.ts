import type { DescMessage, MessageShape } from '@bufbuild/protobuf';

import { type Event, type EventHandler, onTogether, type WriteEffects } from '#events';
import {
  OrderCancellationRefusedSchema,
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderFailedSchema,
  OrderPlacedSchema,
} from '#proto/shop/order/v1/order_events_pb.js';
import { PaymentCompletedSchema, PaymentFailedSchema, PaymentRefundedSchema, PaymentRefundFailedSchema } from '#proto/shop/payment/v1/payment_events_pb.js';
import { ShipmentCancelledSchema, ShipmentHandedOverSchema, ShipmentScheduledSchema } from '#proto/shop/shipping/v1/shipping_events_pb.js';
import { EmailVerificationRequestedSchema } from '#proto/shop/user/v1/user_events_pb.js';
import { currentTraceparent } from '#tracing';

import type { Kind, Words } from './domain.ts';
import { notifyAll, type Notifier, type Occasion } from './notifying.ts';
import * as templates from './templates.ts';
import { enqueueVerifications } from './verification/verification-queue.ts';

/** Consumed: what users are told of. Published: nothing. */
export function notificationEvents(notifier: Notifier): readonly EventHandler[] {
  const write: WriteEffects<Occasion> = (tx, occasions) => notifyAll(tx, notifier, occasions);
  // Where there is no way to send mail, nobody gets a code, and nothing is kept.
  const verify: WriteEffects<string> = async (tx, ids) => (notifier.isMailed ? enqueueVerifications(tx, ids) : undefined);
  /** Every other event is of an order; those of orders say whose it is. */
  function tell<M extends DescMessage>(contract: M, kind: Kind, wordsFor: (message: MessageShape<M>) => Words, of: (message: MessageShape<M>) => Of): EventHandler {
    const occasionOf = (message: MessageShape<M>, { id }: Event): Occasion => ({
      ...{ eventId: id, kind, words: wordsFor(message), traceParent: currentTraceparent() },
      ...of(message),
    });
    return onTogether(contract, occasionOf, write);
  }
  return [
    tell(OrderPlacedSchema, 'ORDER_PLACED', templates.orderPlaced, ownOrder),
    tell(OrderConfirmedSchema, 'ORDER_CONFIRMED', templates.orderConfirmed, ownOrder),
    tell(OrderFailedSchema, 'ORDER_FAILED', templates.orderFailed, ownOrder),
    tell(OrderCancellationRefusedSchema, 'ORDER_CANCELLATION_REFUSED', templates.orderCancellationRefused, ownOrder),
    tell(OrderCancelledSchema, 'ORDER_CANCELLED', templates.orderCancelled, ownOrder),
    tell(PaymentCompletedSchema, 'PAYMENT_COMPLETED', templates.paymentCompleted, someOrder),
    tell(PaymentFailedSchema, 'PAYMENT_FAILED', templates.paymentFailed, someOrder),
    tell(PaymentRefundedSchema, 'PAYMENT_REFUNDED', templates.paymentRefunded, someOrder),
    tell(PaymentRefundFailedSchema, 'PAYMENT_REFUND_FAILED', templates.paymentRefundFailed, someOrder),
    tell(ShipmentScheduledSchema, 'SHIPMENT_SCHEDULED', templates.shipmentScheduled, someOrder),
    tell(ShipmentHandedOverSchema, 'SHIPMENT_HANDED_OVER', templates.shipmentHandedOver, someOrder),
    tell(ShipmentCancelledSchema, 'SHIPMENT_CANCELLED', templates.shipmentCancelled, someOrder),
    onTogether(EmailVerificationRequestedSchema, ({ verificationId }) => verificationId, verify),
  ];
}

interface Of {
  readonly orderId: string;
  /** Undefined when the event does not say whose order it is. */
  readonly userId: string | undefined;
}

const ownOrder = ({ orderId, userId }: { orderId: string; userId: string }): Of => ({ orderId, userId });
const someOrder = ({ orderId }: { orderId: string }): Of => ({ orderId, userId: undefined });
