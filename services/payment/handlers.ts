import { fromProtoMoney, type ProtoMoney, refusal } from '#kit';
import { type Client, type Handlers, requireOwnerBy } from '#mesh';
import type { OrderService } from '#proto/shop/order/v1/order_pb.js';
import type { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';

import { charge } from './charging.ts';
import { toProtoPayment, toProtoRefund } from './converters.ts';
import { paymentNotFound, paymentOf, type Payments } from './payments.ts';
import { refundsOfOrder } from './refund-store.ts';
import { refundPart, refundWhole } from './refunding.ts';

export function paymentHandlers(payments: Payments, orders: Client<typeof OrderService>): Handlers<typeof PaymentService> {
  return {
    async charge({ orderId, amount, paymentMethod }, { signal }) {
      const wanted = { orderId, amount: fromProtoMoney(required(amount, 'charge')), paymentMethod };
      return { payment: toProtoPayment(await charge(payments, wanted, signal)) };
    },
    async refund({ orderId }, { signal }) {
      return { payment: toProtoPayment(await refundWhole(payments, orderId, signal)) };
    },
    async refundPart({ orderId, refundId, amount, reason }, { signal }) {
      const wanted = { orderId, refundId, amount: fromProtoMoney(required(amount, 'give back')), reason };
      const { payment, refund } = await refundPart(payments, wanted, signal);
      return { payment: toProtoPayment(payment), refund: toProtoRefund(refund) };
    },
    async getPayment({ orderId }, call) {
      await requireOwnerBy(call, async () => (await orders.getOrder({ orderId })).order?.userId, () => paymentNotFound(orderId));
      const payment = await paymentOf(payments, orderId);
      const isUntouched = payment.state === 'PROCESSING' || payment.state === 'FAILED';
      const refunds = isUntouched ? [] : await refundsOfOrder(payments.database, orderId);
      return { payment: toProtoPayment(payment), refunds: refunds.map(toProtoRefund) };
    },
  };
}

function required(amount: ProtoMoney | undefined, what: string): ProtoMoney {
  if (amount) return amount;
  throw refusal('INVALID_ARGUMENT', `amount is missing; say how much to ${what}`);
}
