import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { OrderState } from '#proto/shop/order/v1/order_pb.js';
import { PaymentState } from '#proto/shop/payment/v1/payment_pb.js';

import { moneyOf, newProduct, newUser, place, refusalOf, requestFor, stockOf } from './orders.ts';
import type { Shop } from './shop-fixture.ts';

/** What the shop promises, in whichever processes it runs. */
export function describeShop(shopOf: () => Shop): void {
  describe('an order', () => {
    it('is confirmed: the goods are sold and the card is charged once', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const order = await place(shop, requestFor(await newUser(shop), productId));
      expect(order.state).to.equal(OrderState.CONFIRMED);
      expect(order.total).to.deep.include({ currencyCode: 'EUR', units: 25n, nanos: 0 });
      expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 2500n });
      const { payment } = await shop.payments.getPayment({ orderId: order.orderId });
      expect(payment?.state).to.equal(PaymentState.COMPLETED);
    });

    it('fails on a declined card: the stock is back and nothing was taken', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const order = await place(shop, requestFor(await newUser(shop), productId, { paymentMethod: 'pm_card_chargeDeclined' }));
      expect(order).to.deep.include({ state: OrderState.FAILED, reason: 'CARD_DECLINED' });
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 0, net: 0n });
    });

    it('fails when there is not enough of one line, and then reserves none of the others', async () => {
      const shop = shopOf();
      const [plenty, scarce] = [await newProduct(shop, 10n), await newProduct(shop, 1n)];
      const price = { currencyCode: 'EUR', units: 5n, nanos: 0 };
      const lines = [plenty, scarce].map((productId) => ({ productId, quantity: 2, unitPrice: price }));
      const order = await place(shop, requestFor(await newUser(shop), plenty, { lines }));
      expect(order).to.deep.include({ state: OrderState.FAILED, reason: 'OUT_OF_STOCK' });
      expect(await stockOf(shop, plenty)).to.deep.equal([10n, 0n, 0n]);
      expect(await stockOf(shop, scarce)).to.deep.equal([1n, 0n, 0n]);
      expect(await shop.ledger(order.orderId)).to.deep.equal([]);
    });

    it('fails by a payment method that the card company does not know, and is not called declined', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const order = await place(shop, requestFor(await newUser(shop), productId, { paymentMethod: 'pm_card_nobody_has' }));
      expect(order).to.deep.include({ state: OrderState.FAILED, reason: 'PAYMENT_REJECTED' });
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
    });

    it('fails for a product nobody knows', async () => {
      const shop = shopOf();
      const order = await place(shop, requestFor(await newUser(shop), `unknown-${randomUUID()}`));
      expect(order).to.deep.include({ state: OrderState.FAILED, reason: 'PRODUCT_NOT_FOUND' });
    });

    it('of an unknown user is refused, and nothing is written', async () => {
      const shop = shopOf();
      const userId = `nobody-${randomUUID()}`;
      const error = await refusalOf(place(shop, requestFor(userId, await newProduct(shop, 10n))));
      expect(error).to.deep.include({ code: 'NOT_FOUND', reason: 'USER_NOT_FOUND' });
      expect((await shop.orders.listOrders({ userId })).orders).to.deep.equal([]);
    });

    it('keeps amounts in currencies without decimals', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const lines = [{ productId, quantity: 3, unitPrice: { currencyCode: 'JPY', units: 500n, nanos: 0 } }];
      const order = await place(shop, requestFor(await newUser(shop), productId, { lines }));
      expect(order.total).to.deep.include({ currencyCode: 'JPY', units: 1500n, nanos: 0 });
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 1500n });
    });
  });

  describe('the same request', () => {
    it('sent again returns the order it placed', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const request = requestFor(await newUser(shop), productId);
      const [first, second] = [await place(shop, request), await place(shop, request)];
      expect(second.orderId).to.equal(first.orderId);
      expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
    });

    it('sent ten times at once places one order and charges once', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 100n);
      const request = requestFor(await newUser(shop), productId);
      const placed = await Promise.all(Array.from({ length: 10 }, () => place(shop, request)));
      expect(new Set(placed.map(({ orderId }) => orderId)).size).to.equal(1);
      expect(await moneyOf(shop, placed[0]?.orderId ?? '')).to.deep.equal({ captures: 1, net: 2500n });
      expect(await stockOf(shop, productId)).to.deep.equal([98n, 0n, 2n]);
    });

    it('with another body is refused', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const request = requestFor(await newUser(shop), productId);
      await place(shop, request);
      const error = await refusalOf(place(shop, { ...request, paymentMethod: 'pm_card_mastercard' }));
      expect(error).to.deep.include({ code: 'ALREADY_EXISTS', reason: 'IDEMPOTENCY_KEY_REUSED' });
    });
  });

  describe('watching an order', () => {
    it('streams the numbered changes and ends at the final one', async () => {
      const shop = shopOf();
      const { orderId } = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
      const changes = [];
      for await (const { sequence, state } of shop.orders.watchOrder({ orderId })) changes.push([sequence, state]);
      expect(changes).to.deep.equal([
        [1n, OrderState.PENDING],
        [2n, OrderState.CONFIRMED],
      ]);
    });

    it('goes on after a number, and is empty after the last', async () => {
      const shop = shopOf();
      const { orderId } = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
      const after = async (afterSequence: bigint): Promise<bigint[]> => {
        const seen = [];
        for await (const { sequence } of shop.orders.watchOrder({ orderId, afterSequence })) seen.push(sequence);
        return seen;
      };
      expect(await after(1n)).to.deep.equal([2n]);
      expect(await after(2n)).to.deep.equal([]);
    });

    it('of an unknown order is refused', async () => {
      const watching = shopOf().orders.watchOrder({ orderId: `no-${randomUUID()}` })[Symbol.asyncIterator]();
      expect((await refusalOf(watching.next())).reason).to.equal('ORDER_NOT_FOUND');
    });
  });

  describe('a list of orders', () => {
    it('is paged, newest first', async () => {
      const shop = shopOf();
      const [userId, productId] = [await newUser(shop), await newProduct(shop, 100n)];
      const placed: string[] = [];
      for (let i = 0; i < 3; i += 1) placed.unshift((await place(shop, requestFor(userId, productId))).orderId);
      const first = await shop.orders.listOrders({ userId, pageSize: 2 });
      const second = await shop.orders.listOrders({ userId, pageSize: 2, pageToken: first.nextPageToken });
      expect([...first.orders, ...second.orders].map(({ orderId }) => orderId)).to.deep.equal(placed);
      expect(second.nextPageToken).to.equal('');
    });

    it('refuses a page token it never gave out', async () => {
      const error = await refusalOf(shopOf().orders.listOrders({ userId: 'demo', pageToken: 'not a token' }));
      expect(error).to.deep.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_PAGE_TOKEN' });
    });
  });

  describe('a request that breaks the contract', () => {
    const price = { currencyCode: 'EUR', units: 1n, nanos: 0 };
    const line = { productId: 'grinder', quantity: 1, unitPrice: price };
    const refused: Readonly<Record<string, [string, Parameters<typeof requestFor>[2]]>> = {
      'without a request_id': ['request_id', { requestId: '' }],
      'with an over-long id': ['request_id', { requestId: 'x'.repeat(65) }],
      'without lines': ['lines', { lines: [] }],
      'with a negative quantity': ['lines[0].quantity', { lines: [{ ...line, quantity: -1 }] }],
      'with a huge quantity': ['lines[0].quantity', { lines: [{ ...line, quantity: 2_000_000_000 }] }],
      'with one product twice': ['lines', { lines: [line, line] }],
      'with two currencies': ['lines', { lines: [line, { ...line, productId: 'beans', unitPrice: { ...price, currencyCode: 'USD' } }] }],
      'with a currency that is none': ['', { lines: [{ ...line, unitPrice: { ...price, currencyCode: 'QQQ' } }] }],
      'with more decimals than the currency has': ['', { lines: [{ ...line, unitPrice: { ...price, nanos: 1 } }] }],
      'with a negative price': ['lines[0].unit_price', { lines: [{ ...line, unitPrice: { ...price, units: -5n } }] }],
      'without an address': ['shipping_address', { shippingAddress: undefined }],
      'with card data for a payment method': ['payment_method', { paymentMethod: '4242424242424242' }],
    };
    for (const [what, [field, other]] of Object.entries(refused)) {
      it(`${what} is refused, naming what is wrong`, async () => {
        const error = await refusalOf(place(shopOf(), requestFor('demo', 'grinder', other)));
        expect(error).to.deep.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
        if (field) expect(error.violations.map((violation) => violation.field)).to.include(field);
        expect(error.message).to.have.length.above(10);
      });
    }
  });

  describe('a user', () => {
    it('created twice with the same content is one; with other content it is refused', async () => {
      const shop = shopOf();
      const user = { userId: `u-${randomUUID()}`, email: 'a@example.com', displayName: 'A' };
      expect((await shop.users.createUser(user)).user).to.deep.equal((await shop.users.createUser(user)).user);
      const error = await refusalOf(shop.users.createUser({ ...user, displayName: 'B' }));
      expect(error).to.deep.include({ code: 'ALREADY_EXISTS', reason: 'USER_EXISTS' });
    });

    it('is listed, page after page', async () => {
      const shop = shopOf();
      const mine = [await newUser(shop), await newUser(shop), await newUser(shop)];
      const seen: string[] = [];
      let pageToken = '';
      do {
        const page = await shop.users.listUsers({ pageSize: 2, pageToken });
        seen.push(...page.users.map(({ userId }) => userId));
        pageToken = page.nextPageToken;
      } while (pageToken);
      expect(seen).to.include.members(mine);
      expect(seen).to.deep.equal([...new Set(seen)].sort());
    });
  });

  describe('a reservation', () => {
    const lines = (productId: string, quantity: number) => [{ productId, quantity }];

    it('is made once for an order, and refused for other lines', async () => {
      const shop = shopOf();
      const [orderId, productId] = [randomUUID(), await newProduct(shop, 10n)];
      await shop.inventory.reserve({ orderId, lines: lines(productId, 3) });
      await shop.inventory.reserve({ orderId, lines: lines(productId, 3) });
      expect(await stockOf(shop, productId)).to.deep.equal([7n, 3n, 0n]);
      const error = await refusalOf(shop.inventory.reserve({ orderId, lines: lines(productId, 4) }));
      expect(error.reason).to.equal('IDEMPOTENCY_KEY_REUSED');
    });

    it('given back before it was made refuses to be made late', async () => {
      const shop = shopOf();
      const [orderId, productId] = [randomUUID(), await newProduct(shop, 10n)];
      await shop.inventory.release({ orderId });
      expect((await refusalOf(shop.inventory.reserve({ orderId, lines: lines(productId, 1) }))).reason).to.equal('RESERVATION_RELEASED');
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
    });

    it('is sold or given back, once, and not both', async () => {
      const shop = shopOf();
      const [sold, released, productId] = [randomUUID(), randomUUID(), await newProduct(shop, 10n)];
      for (const orderId of [sold, released]) await shop.inventory.reserve({ orderId, lines: lines(productId, 2) });
      for (let twice = 0; twice < 2; twice += 1) {
        await shop.inventory.commit({ orderId: sold });
        await shop.inventory.release({ orderId: released });
      }
      expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
      expect((await refusalOf(shop.inventory.release({ orderId: sold }))).reason).to.equal('RESERVATION_COMMITTED');
      expect((await refusalOf(shop.inventory.commit({ orderId: released }))).reason).to.equal('RESERVATION_RELEASED');
    });

    it('never sells more than there is to forty buyers at once', async () => {
      const shop = shopOf();
      const [a, b] = [await newProduct(shop, 10n), await newProduct(shop, 10n)];
      const buy = (index: number) => {
        // Every other order names the products the other way round: a deadlock, were rows locked as they are named.
        const products = index % 2 ? [a, b] : [b, a];
        return shop.inventory.reserve({ orderId: randomUUID(), lines: products.map((productId) => ({ productId, quantity: 1 })) });
      };
      const results = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => buy(index)));
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(10);
      expect(await stockOf(shop, a)).to.deep.equal([0n, 10n, 0n]);
      expect(await stockOf(shop, b)).to.deep.equal([0n, 10n, 0n]);
    });
  });

  describe('a payment', () => {
    const amount = { currencyCode: 'EUR', units: 10n, nanos: 0 };

    it('is charged once, however often and at once it is asked for', async () => {
      const shop = shopOf();
      const charge = { orderId: randomUUID(), amount, paymentMethod: 'pm_card_visa' };
      const answers = await Promise.allSettled(Array.from({ length: 5 }, () => shop.payments.charge(charge)));
      expect(answers.some(({ status }) => status === 'fulfilled')).to.equal(true);
      expect((await shop.payments.charge(charge)).payment?.state).to.equal(PaymentState.COMPLETED);
      expect(await moneyOf(shop, charge.orderId)).to.deep.equal({ captures: 1, net: 1000n });
      const error = await refusalOf(shop.payments.charge({ ...charge, amount: { ...amount, units: 11n } }));
      expect(error.reason).to.equal('IDEMPOTENCY_KEY_REUSED');
    });

    it('is refunded once', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_visa' });
      for (let twice = 0; twice < 2; twice += 1) expect((await shop.payments.refund({ orderId })).payment?.state).to.equal(PaymentState.REFUNDED);
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
    });

    it('refunded before it was charged refuses to be charged late', async () => {
      const shop = shopOf();
      const orderId = randomUUID();
      await shop.payments.refund({ orderId });
      const error = await refusalOf(shop.payments.charge({ orderId, amount, paymentMethod: 'pm_card_visa' }));
      expect(error.reason).to.equal('PAYMENT_CLOSED');
      expect(await shop.ledger(orderId)).to.deep.equal([]);
    });

    it('by a method the card company does not know fails for good', async () => {
      const shop = shopOf();
      const charge = { orderId: randomUUID(), amount, paymentMethod: 'pm_card_nobody_has' };
      expect((await shop.payments.charge(charge)).payment).to.deep.include({ state: PaymentState.FAILED, declineCode: 'request_rejected' });
      expect(await shop.ledger(charge.orderId)).to.deep.equal([]);
    });
  });
}
