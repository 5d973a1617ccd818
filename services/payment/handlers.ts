import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import { fromProtoMoney, refusal, toProtoMoney } from '#kit';
import type { Handlers } from '#mesh';
import { type PaymentSchema, type PaymentService, PaymentState as ProtoState } from '#proto/shop/payment/v1/payment_pb.js';

import { charge, type Charging, paymentOf, refund } from './charging.ts';
import type { Payment, PaymentState } from './domain.ts';

const STATES: Readonly<Record<PaymentState, ProtoState>> = {
  PROCESSING: ProtoState.PROCESSING,
  COMPLETED: ProtoState.COMPLETED,
  FAILED: ProtoState.FAILED,
  REFUNDED: ProtoState.REFUNDED,
};

export function paymentHandlers(charging: Charging): Handlers<typeof PaymentService> {
  return {
    async charge({ orderId, amount, paymentMethod }, { signal }) {
      if (!amount) throw refusal('INVALID_ARGUMENT', 'amount is missing; say how much to charge');
      return { payment: toProto(await charge(charging, { orderId, amount: fromProtoMoney(amount), paymentMethod }, signal)) };
    },
    async refund({ orderId }, { signal }) {
      return { payment: toProto(await refund(charging, orderId, signal)) };
    },
    async getPayment({ orderId }) {
      return { payment: toProto(await paymentOf(charging.database, orderId)) };
    },
  };
}

function toProto(payment: Payment): MessageInitShape<typeof PaymentSchema> {
  return {
    orderId: payment.orderId,
    state: STATES[payment.state],
    // A payment closed before it was charged has no amount.
    ...(payment.amount.currency && { amount: toProtoMoney(payment.amount) }),
    paymentMethod: payment.paymentMethod,
    paymentIntentId: payment.paymentIntentId ?? '',
    declineCode: payment.declineCode ?? '',
    createTime: timestampFromDate(payment.createTime),
    updateTime: timestampFromDate(payment.updateTime),
  };
}
