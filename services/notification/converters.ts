import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import {
  NotificationCategory as ProtoCategory,
  NotificationKind as ProtoKind,
  type NotificationSchema,
  NotificationState as ProtoState,
} from '#proto/shop/notification/v1/notification_pb.js';

import type { Category, Kind, Notification } from './domain.ts';

const STATES: Readonly<Record<Notification['state'], ProtoState>> = {
  PENDING: ProtoState.PENDING,
  // That it is on its way is nothing to wait for.
  SENDING: ProtoState.PENDING,
  SENT: ProtoState.SENT,
  SUPPRESSED: ProtoState.SUPPRESSED,
  FAILED: ProtoState.FAILED,
  UNCONFIRMED: ProtoState.UNCONFIRMED,
};

const KINDS: Readonly<Record<Kind, ProtoKind>> = {
  ORDER_PLACED: ProtoKind.ORDER_PLACED,
  ORDER_CONFIRMED: ProtoKind.ORDER_CONFIRMED,
  ORDER_FAILED: ProtoKind.ORDER_FAILED,
  ORDER_CANCELLATION_REFUSED: ProtoKind.ORDER_CANCELLATION_REFUSED,
  ORDER_CANCELLED: ProtoKind.ORDER_CANCELLED,
  PAYMENT_COMPLETED: ProtoKind.PAYMENT_COMPLETED,
  PAYMENT_FAILED: ProtoKind.PAYMENT_FAILED,
  PAYMENT_REFUNDED: ProtoKind.PAYMENT_REFUNDED,
  PAYMENT_REFUND_FAILED: ProtoKind.PAYMENT_REFUND_FAILED,
  SHIPMENT_SCHEDULED: ProtoKind.SHIPMENT_SCHEDULED,
  SHIPMENT_HANDED_OVER: ProtoKind.SHIPMENT_HANDED_OVER,
  SHIPMENT_CANCELLED: ProtoKind.SHIPMENT_CANCELLED,
};

const CATEGORIES: Readonly<Record<Category, ProtoCategory>> = {
  ORDER: ProtoCategory.ORDER,
  PAYMENT: ProtoCategory.PAYMENT,
  SHIPPING: ProtoCategory.SHIPPING,
};

export function notificationToProto(notification: Notification): MessageInitShape<typeof NotificationSchema> {
  const { notificationId, userId, orderId, kind, subject, body, state, reason, createTime, sentTime, sequence } = notification;
  return {
    ...{ notificationId, userId, orderId, subject, body, reason, sequence },
    kind: KINDS[kind],
    state: STATES[state],
    createTime: timestampFromDate(createTime),
    ...(sentTime && { sentTime: timestampFromDate(sentTime) }),
  };
}

export function categoryToProto(category: Category): ProtoCategory {
  return CATEGORIES[category];
}

/** In the order of their numbers. Validation has let through none that is not defined. */
export function categoriesFromProto(wanted: readonly ProtoCategory[]): Category[] {
  // The keys of CATEGORIES are all the categories there are.
  return (Object.keys(CATEGORIES) as Category[]).filter((category) => wanted.includes(CATEGORIES[category]));
}
