import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { expect } from 'chai';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';

import { composeMail } from '../../services/notification/channel/compose-mail.ts';
import type { Words } from '../../services/notification/domain.ts';
import { oneLine } from '../../services/notification/one-line.ts';
import * as templates from '../../services/notification/templates.ts';
import * as order from '#proto/shop/order/v1/order_events_pb.js';
import * as payment from '#proto/shop/payment/v1/payment_events_pb.js';
import * as shipping from '#proto/shop/shipping/v1/shipping_events_pb.js';

const TOTAL = { currencyCode: 'EUR', units: 25n, nanos: 0 };

/** What a template says of an event, whose texts are all of them `value`. */
function saying<M extends DescMessage>(contract: M, template: (message: MessageShape<M>) => Words, amount: string): [string, (value: string) => Words] {
  const texts = contract.fields.filter(({ scalar }) => scalar === 9).map(({ localName }) => localName);
  return [
    contract.name,
    // Fields by the names that the contract itself has for them.
    (value) => template(create(contract, { ...Object.fromEntries(texts.map((name) => [name, value])), [amount]: TOTAL } as MessageInitShape<M>)),
  ];
}

const TEMPLATES: readonly [string, (value: string) => Words][] = [
  saying(order.OrderPlacedSchema, templates.orderPlaced, 'total'),
  saying(order.OrderConfirmedSchema, templates.orderConfirmed, 'total'),
  saying(order.OrderFailedSchema, templates.orderFailed, 'total'),
  saying(order.OrderCancellationRefusedSchema, templates.orderCancellationRefused, 'total'),
  saying(order.OrderCancelledSchema, templates.orderCancelled, 'total'),
  saying(payment.PaymentCompletedSchema, templates.paymentCompleted, 'amount'),
  saying(payment.PaymentFailedSchema, templates.paymentFailed, 'amount'),
  saying(payment.PaymentRefundedSchema, templates.paymentRefunded, 'amount'),
  saying(payment.PaymentRefundFailedSchema, templates.paymentRefundFailed, 'amount'),
  saying(shipping.ShipmentScheduledSchema, templates.shipmentScheduled, 'none'),
  saying(shipping.ShipmentHandedOverSchema, templates.shipmentHandedOver, 'none'),
  saying(shipping.ShipmentCancelledSchema, templates.shipmentCancelled, 'none'),
];

/** Anything that somebody might put into a text, with what ends lines and headers in it more often. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.array(fc.constantFrom('\r', '\n', '\r\n', '.', '\r\n.\r\n', '\u0000', '\u2028', '\u0085', '\u202e', '\ud800', 'Bcc: all@example.com', '=?utf-8?q?=0D=0A?=', '<b>', 'x'), { maxLength: 40 }).map((parts) => parts.join('')),
);

describe('the templates', () => {
  for (const [name, say] of TEMPLATES) {
    it(`of ${name} keep every value in its line, and give a mail no header of its own`, async () => {
      const plain = say('some-id');
      const lines = plain.body.split('\n').length;
      await fc.assert(
        fc.asyncProperty(hostile, async (value) => {
          const { subject, body } = say(value);
          expect(subject).to.match(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u);
          expect(subject.length).to.be.below(500);
          // Without a value a line may be left out.
          expect(body.split('\n').length).to.be.at.most(lines);
          expect(body.replaceAll('\n', '')).to.match(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u);
          const mail = await simpleParser(await composeMail({ id: 'id', to: { name: oneLine(value), address: 'buyer@example.com' }, subject, text: body, date: new Date(0) }, 'shop@example.com'));
          expect([...mail.headers.keys()]).to.have.members(['auto-submitted', 'from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type', 'content-transfer-encoding']);
          expect(mail.to).to.have.nested.property('value.length', 1);
          expect(mail.to).to.have.nested.property('value[0].address', 'buyer@example.com');
        }),
        { numRuns: 40 },
      );
    });
  }

  it('name the order and the amount', () => {
    for (const [name, say] of TEMPLATES) {
      const { subject, body } = say('order-7');
      expect(subject, name).to.contain('order-7');
      if (!name.startsWith('Shipment') && name !== 'OrderCancellationRefused') expect(body, name).to.contain('25.00 EUR');
    }
  });

  it('say why an order failed where a buyer can do something about it, and keep what goes on inside to themselves', () => {
    const failed = (reason: string): string => templates.orderFailed(create(order.OrderFailedSchema, { orderId: 'o', reason })).body;
    expect(failed('CARD_DECLINED')).to.contain('your card was declined');
    expect(failed('DATABASE_DAMAGED')).to.contain('something went wrong on our side').and.not.contain('DATABASE');
  });

  it('do not say why a card was declined: it may be reported stolen', () => {
    expect(templates.paymentFailed(create(payment.PaymentFailedSchema, { orderId: 'o', declineCode: 'stolen_card' })).body).not.to.contain('stolen');
  });

  it('add up what has been paid back from the second part to the last', () => {
    const part = { currencyCode: 'EUR', units: 5n, nanos: 0 };
    const refunded = (refundedTotal: typeof TOTAL, whole: boolean): string => templates.paymentRefunded(create(payment.PaymentRefundedSchema, { amount: part, refundedTotal, whole })).body;
    expect(refunded(part, false), 'the first').to.contain('We are paying back 5.00 EUR. It can');
    for (const whole of [false, true]) expect(refunded(TOTAL, whole)).to.contain('We are paying back 5.00 EUR. That makes 25.00 EUR in all. It can');
    expect(refunded(part, true), 'all at once').to.contain('We are paying back 5.00 EUR. It can');
  });

  it('leave it to the notices of payment what becomes of the money of an order that is over: a hand may have kept it, or paid it back another way', () => {
    const failed = templates.orderFailed(create(order.OrderFailedSchema, { orderId: 'o', reason: 'CARRIER_REFUSED' })).body;
    const cancelled = templates.orderCancelled(create(order.OrderCancelledSchema, { orderId: 'o' })).body;
    for (const body of [failed, cancelled]) {
      expect(body).to.contain('Nothing will be delivered. We write to you separately about any payment for it.');
      expect(body).not.to.match(/you pay|goes back|paid|refund/);
    }
  });
});

describe('a value in one line', () => {
  it('is cut where it is too long, and at no half character', () => {
    expect(oneLine('x'.repeat(200))).to.equal('x'.repeat(200));
    expect(oneLine('x'.repeat(201))).to.equal(`${'x'.repeat(199)}…`);
    expect(oneLine('🙂'.repeat(1_000))).to.equal(`${'🙂'.repeat(199)}…`);
    expect(oneLine('\ud800')).to.equal('\ufffd');
  });
});
