import { fromProtoMoney, moneyInWords, type ProtoMoney } from '#kit';
import type {
  OrderCancellationRefused,
  OrderCancelled,
  OrderConfirmed,
  OrderFailed,
  OrderPlaced,
} from '#proto/shop/order/v1/order_events_pb.js';
import type { PaymentCompleted, PaymentFailed, PaymentRefunded, PaymentRefundFailed } from '#proto/shop/payment/v1/payment_events_pb.js';
import type { ShipmentCancelled, ShipmentHandedOver, ShipmentScheduled } from '#proto/shop/shipping/v1/shipping_events_pb.js';

import type { Words } from './domain.ts';
import { oneLine } from './one-line.ts';

// Plain text, so nothing needs escaping but the ends of lines: every value goes through `oneLine`.

/** Why orders fail, as buyers may read it. Other reasons are of no use to them. */
const FAILURES: ReadonlyMap<string, string> = new Map([
  ['CARD_DECLINED', 'your card was declined'],
  ['PAYMENT_REJECTED', 'the payment was refused'],
  ['OUT_OF_STOCK', 'not everything in it is left in stock'],
  ['CARRIER_REFUSED', 'our carrier does not deliver to your address'],
]);
const OTHER_FAILURE = 'something went wrong on our side';
// Of money only payment's own events tell: an order may end without a charge, or by a hand that keeps or pays back what was taken.
const ENDED = 'Nothing will be delivered. We write to you separately about any payment for it.';

export function orderPlaced({ orderId, total }: OrderPlaced): Words {
  return words(`Your order ${oneLine(orderId)}`, `Thank you for your order${of(total)}. We tell you as soon as it is confirmed.`, orderId);
}

export function orderConfirmed({ orderId, total, trackingNumber }: OrderConfirmed): Words {
  const text = `Your order${of(total)} is confirmed: everything is in stock, paid for, and booked with our carrier.`;
  return words(`Order ${oneLine(orderId)} is confirmed`, `${text}${tracking(trackingNumber)}`, orderId);
}

export function orderFailed({ orderId, total, reason }: OrderFailed): Words {
  const text = `We could not complete your order${of(total)}: ${FAILURES.get(reason) ?? OTHER_FAILURE}. ${ENDED}`;
  return words(`Order ${oneLine(orderId)} could not be completed`, text, orderId);
}

export function orderCancellationRefused({ orderId }: OrderCancellationRefused): Words {
  const text = 'Your order could not be cancelled: the parcel is with the carrier already. It stays confirmed and will be delivered.';
  return words(`Order ${oneLine(orderId)} is on its way and stays`, text, orderId);
}

export function orderCancelled({ orderId, total }: OrderCancelled): Words {
  const text = `Your order${of(total)} is cancelled, as you asked. ${ENDED}`;
  return words(`Order ${oneLine(orderId)} is cancelled`, text, orderId);
}

export function paymentCompleted({ orderId, amount }: PaymentCompleted): Words {
  return words(`We have received your payment for order ${oneLine(orderId)}`, `Your payment${of(amount)} was received.`, orderId);
}

export function paymentFailed({ orderId, amount }: PaymentFailed): Words {
  // Not why: card companies ask not to tell buyers that a card was reported stolen, say.
  const text = `Your payment${of(amount)} did not go through, and no money was taken. Please use another means of payment, or ask your bank.`;
  return words(`The payment for order ${oneLine(orderId)} did not go through`, text, orderId);
}

export function paymentRefunded({ orderId, amount, refundedTotal }: PaymentRefunded): Words {
  const sum = amount ? inWords(amount) : 'what you paid';
  const inAll = refundedTotal && inWords(refundedTotal) !== sum ? ` That makes ${inWords(refundedTotal)} in all.` : '';
  const text = `We are paying back ${sum}.${inAll} It can take your bank some days to show it.`;
  return words(`Money back for order ${oneLine(orderId)}`, text, orderId);
}

export function paymentRefundFailed({ orderId, amount }: PaymentRefundFailed): Words {
  const text = `The refund${of(amount)} that we sent did not reach you: your bank returned it to us. We keep it for you and pay it back another way.`;
  return words(`Your bank returned the money for order ${oneLine(orderId)}`, text, orderId);
}

export function shipmentScheduled({ orderId, trackingNumber }: ShipmentScheduled): Words {
  return words(`The shipment of order ${oneLine(orderId)} is booked`, `Our carrier will collect your parcel.${tracking(trackingNumber)}`, orderId);
}

export function shipmentHandedOver({ orderId, trackingNumber }: ShipmentHandedOver): Words {
  return words(`Order ${oneLine(orderId)} is on its way`, `Your parcel is with the carrier.${tracking(trackingNumber)}`, orderId);
}

export function shipmentCancelled({ orderId }: ShipmentCancelled): Words {
  return words(`The shipment of order ${oneLine(orderId)} was called off`, 'Your parcel will not be delivered.', orderId);
}

function words(subject: string, text: string, orderId: string): Words {
  return { subject, body: `Hello,\n\n${text}\n\nOrder: ${oneLine(orderId)}\n` };
}

/** Such as ` of 25.00 EUR`; nothing for an amount that the event does not give. */
function of(amount: ProtoMoney | undefined): string {
  return amount ? ` of ${inWords(amount)}` : '';
}

function inWords(amount: ProtoMoney): string {
  return moneyInWords(fromProtoMoney(amount));
}

function tracking(trackingNumber: string): string {
  return trackingNumber ? `\n\nTracking number: ${oneLine(trackingNumber)}` : '';
}
