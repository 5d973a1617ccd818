import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import { toProtoMoney } from '#kit';
import {
  type PaymentSchema,
  PaymentState as ProtoPaymentState,
  type RefundSchema,
  RefundState as ProtoRefundState,
} from '#proto/shop/payment/v1/payment_pb.js';

import type { Payment, PaymentState } from './domain.ts';
import type { Refund, RefundState } from './refund.ts';

const PAYMENT_STATES: Readonly<Record<PaymentState, ProtoPaymentState>> = {
  PROCESSING: ProtoPaymentState.PROCESSING,
  COMPLETED: ProtoPaymentState.COMPLETED,
  FAILED: ProtoPaymentState.FAILED,
  REFUNDED: ProtoPaymentState.REFUNDED,
};

const REFUND_STATES: Readonly<Record<RefundState, ProtoRefundState>> = {
  REQUESTED: ProtoRefundState.REQUESTED,
  PENDING: ProtoRefundState.PENDING,
  SUCCEEDED: ProtoRefundState.SUCCEEDED,
  FAILED: ProtoRefundState.FAILED,
};

export function toProtoPayment(payment: Payment): MessageInitShape<typeof PaymentSchema> {
  return {
    orderId: payment.orderId,
    state: PAYMENT_STATES[payment.state],
    // A payment closed before it was charged has no amount.
    ...(payment.amount.currency && { amount: toProtoMoney(payment.amount), refundedAmount: toProtoMoney(payment.refunded) }),
    paymentMethod: payment.paymentMethod,
    paymentIntentId: payment.paymentIntentId ?? '',
    declineCode: payment.declineCode ?? '',
    createTime: timestampFromDate(payment.createTime),
    updateTime: timestampFromDate(payment.updateTime),
  };
}

export function toProtoRefund(refund: Refund): MessageInitShape<typeof RefundSchema> {
  return {
    refundId: refund.refundId,
    amount: toProtoMoney(refund.amount),
    state: REFUND_STATES[refund.state],
    reason: refund.reason,
    stripeRefundId: refund.stripeRefundId ?? '',
    failure: refund.failure ?? '',
    createTime: timestampFromDate(refund.createTime),
    updateTime: timestampFromDate(refund.updateTime),
  };
}
