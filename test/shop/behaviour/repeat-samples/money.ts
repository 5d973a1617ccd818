import { randomUUID } from 'node:crypto';

import { moneyOf } from '../../orders.ts';
import type { Shop } from '../../shop-fixture.ts';
import type { Samples } from './sample.ts';

const euros = (units: bigint) => ({ currencyCode: 'EUR', units, nanos: 0 });

/** What is charged, and what goes back, as the card company has it in its books. */
export const moneySamples: Samples = {
  'shop.payment.v1.PaymentService/Charge': async (shop) => {
    const charge = newCharge();
    return {
      send: () => shop.payments.charge(charge),
      sendOther: () => shop.payments.charge({ ...charge, amount: euros(11n) }),
      books: () => moneyOf(shop, charge.orderId),
      once: { captures: 1, net: 1_000n },
      later: { do: () => shop.payments.refund({ orderId: charge.orderId }), books: { captures: 1, net: 0n } },
    };
  },

  'shop.payment.v1.PaymentService/Refund': async (shop) => {
    const { orderId } = await charged(shop);
    return { send: () => shop.payments.refund({ orderId }), books: () => ledgerOf(shop, orderId), once: ['capture 1000', 'refund 1000'] };
  },

  'shop.payment.v1.PaymentService/RefundPart': async (shop) => {
    const { orderId } = await charged(shop);
    const part = { orderId, refundId: randomUUID(), amount: euros(4n), reason: 'one cup was broken' };
    return {
      send: () => shop.payments.refundPart(part),
      sendOther: () => shop.payments.refundPart({ ...part, amount: euros(5n) }),
      books: () => ledgerOf(shop, orderId),
      once: ['capture 1000', 'refund 400'],
    };
  },
};

const newCharge = () => ({ orderId: randomUUID(), amount: euros(10n), paymentMethod: 'pm_card_visa' });

async function charged(shop: Shop) {
  const charge = newCharge();
  await shop.payments.charge(charge);
  return charge;
}

async function ledgerOf(shop: Shop, orderId: string): Promise<string[]> {
  return (await shop.ledger(orderId)).map(({ kind, amountMinor }) => `${kind} ${amountMinor}`);
}
