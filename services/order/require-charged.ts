import { type MeshError, refusal } from '#kit';
import { type Payment, PaymentState } from '#proto/shop/payment/v1/payment_pb.js';

/**
 * A declined charge is an answer, not an error of the call. Throws CARD_DECLINED, PAYMENT_REJECTED, PAYMENT_CLOSED for
 * one whose payment is over and took nothing, and PAYMENT_PROVIDER_UNAVAILABLE for one that is not over.
 */
export function requireCharged(payment: Payment | undefined): void {
  switch (payment?.state) {
    case PaymentState.COMPLETED:
      return;
    case PaymentState.FAILED:
      throw notCharged(payment);
    case PaymentState.REFUNDED:
      throw refusal('PAYMENT_CLOSED', `the money of order ${payment.orderId} went back while it was being placed; place a new order`);
    default:
      throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'nobody knows yet whether the card was charged; ask again');
  }
}

function notCharged({ orderId, declineCode, paymentMethod }: Payment): MeshError {
  switch (declineCode) {
    case 'request_rejected':
      return refusal('PAYMENT_REJECTED', `Stripe does not take payment method ${paymentMethod}; use another one`);
    case 'never_charged':
      return refusal('PAYMENT_CLOSED', `the charge of order ${orderId} was lost on its way to Stripe, which took nothing; place a new order`);
    default:
      return refusal('CARD_DECLINED', `the card was declined (${declineCode}); use another payment method`);
  }
}
