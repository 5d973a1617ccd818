import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { MeshError } from '#kit';
import { PaymentSchema, PaymentState } from '#proto/shop/payment/v1/payment_pb.js';

import { requireCharged } from '../../services/order/require-charged.ts';

describe('what an order makes of the answer to its charge', () => {
  function refusalOf(state: PaymentState, declineCode = ''): MeshError | undefined {
    try {
      requireCharged(create(PaymentSchema, { orderId: 'order-1', state, declineCode, paymentMethod: 'pm_card_visa' }));
      return undefined;
    } catch (thrown) {
      return MeshError.from(thrown);
    }
  }

  it('takes a payment that is COMPLETED', () => {
    expect(refusalOf(PaymentState.COMPLETED)).to.equal(undefined);
  });

  it('tells a declined card from a charge that was lost, and from money that went back', () => {
    expect(refusalOf(PaymentState.FAILED, 'insufficient_funds')).to.include({ reason: 'CARD_DECLINED' });
    expect(refusalOf(PaymentState.FAILED, 'request_rejected')).to.include({ reason: 'PAYMENT_REJECTED' });
    const [lost, back] = [refusalOf(PaymentState.FAILED, 'never_charged'), refusalOf(PaymentState.REFUNDED)];
    expect(lost).to.include({ reason: 'PAYMENT_CLOSED' });
    expect(lost?.message).to.match(/lost on its way to Stripe.*place a new order/);
    expect(back).to.include({ reason: 'PAYMENT_CLOSED' });
    expect(back?.message).to.match(/went back.*place a new order/);
  });

  it('asks again where the charge is not over, and undoes nothing', () => {
    expect(refusalOf(PaymentState.PROCESSING)).to.include({ reason: 'PAYMENT_PROVIDER_UNAVAILABLE', code: 'UNAVAILABLE' });
  });
});
