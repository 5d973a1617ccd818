import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { OrderState } from '#proto/shop/order/v1/order_pb.js';
import { PaymentState } from '#proto/shop/payment/v1/payment_pb.js';
import { ShipmentState } from '#proto/shop/shipping/v1/shipping_pb.js';

import { ADDRESS, EUR_12_50, moneyOf, newProduct, newUser, place, refusalOf, requestFor, stockOf } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

/** What placing an order promises. */
export function describeOrders(shopOf: () => Shop): void {
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
      const lines = [plenty, scarce].map((productId) => ({ productId, quantity: 2 }));
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

    it('of an unknown product is refused, and nothing is written', async () => {
      const shop = shopOf();
      const [userId, productId] = [await newUser(shop), `unknown-${randomUUID()}`];
      const error = await refusalOf(place(shop, requestFor(userId, productId)));
      expect(error).to.deep.include({ code: 'NOT_FOUND', reason: 'PRODUCT_NOT_FOUND' });
      expect((await shop.orders.listOrders({ userId })).orders).to.deep.equal([]);
    });

    it('fails for a product whose stock was never set', async () => {
      const shop = shopOf();
      const productId = `product-${randomUUID()}`;
      await shop.products.createProduct({ productId, name: 'Not in yet', price: EUR_12_50 });
      const order = await place(shop, requestFor(await newUser(shop), productId));
      expect(order).to.deep.include({ state: OrderState.FAILED, reason: 'STOCK_NOT_SET' });
    });

    it('keeps the names and prices it was placed with', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const { orderId } = await place(shop, requestFor(await newUser(shop), productId));
      await shop.products.updateProduct({ productId, name: 'Another name', price: { ...EUR_12_50, units: 99n } });
      const { order } = await shop.orders.getOrder({ orderId });
      expect(order?.lines[0]).to.deep.include({ productId, quantity: 2, name: 'A product' });
      expect(order?.lines[0]?.unitPrice).to.deep.include(EUR_12_50);
      const later = await place(shop, requestFor(order?.userId ?? '', productId));
      expect(later.lines[0]).to.deep.include({ name: 'Another name' });
      expect(later.total).to.deep.include({ units: 199n, nanos: 0 });
    });

    it('at a price that is not the current one is refused, and says so; at the current one it is taken', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const userId = await newUser(shop);
      const seen = (units: bigint) => requestFor(userId, productId, { lines: [{ productId, quantity: 1, unitPrice: { ...EUR_12_50, units } }] });
      const error = await refusalOf(place(shop, seen(11n)));
      expect(error).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'PRICE_CHANGED' });
      expect(error.metadata).to.deep.equal({ product_id: productId, price_minor: '1250', currency: 'EUR' });
      expect((await place(shop, seen(12n))).state).to.equal(OrderState.CONFIRMED);
    });

    it('of products in two currencies is refused', async () => {
      const shop = shopOf();
      const [euros, dollars] = [await newProduct(shop, 10n), await newProduct(shop, 10n, { ...EUR_12_50, currencyCode: 'USD' })];
      const lines = [euros, dollars].map((productId) => ({ productId, quantity: 1 }));
      const error = await refusalOf(place(shop, requestFor(await newUser(shop), euros, { lines })));
      expect(error).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'MIXED_CURRENCIES' });
    });

    it('of more than one payment can be is refused, and nothing is written', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n, { currencyCode: 'EUR', units: 500_000n, nanos: 0 });
      const userId = await newUser(shop);
      expect(await refusalOf(place(shop, requestFor(userId, productId)))).to.include({ reason: 'INVALID_ARGUMENT' });
      expect((await shop.orders.listOrders({ userId })).orders).to.deep.equal([]);
    });

    it('is shipped: its tracking number is the one of its only shipment', async () => {
      const shop = shopOf();
      const { orderId, trackingNumber } = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
      const { shipments } = await shop.shipping.listShipments({ orderId });
      expect(shipments.map((shipment) => [shipment.state, shipment.trackingNumber])).to.deep.equal([[ShipmentState.SCHEDULED, trackingNumber]]);
      expect(trackingNumber).to.have.length.above(5);
    });

    it('fails when the carrier does not take it: the money is back and so are the goods', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const request = requestFor(await newUser(shop), productId);
      const order = await place(shop, { ...request, shippingAddress: { ...ADDRESS, postalCode: 'SIM-REFUSE' } });
      expect(order).to.deep.include({ state: OrderState.FAILED, reason: 'CARRIER_REFUSED' });
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 0n });
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
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
      const productId = await newProduct(shop, 10n, { currencyCode: 'JPY', units: 500n, nanos: 0 });
      const lines = [{ productId, quantity: 3 }];
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

    it('sent again returns the order it placed, also when the product costs something else by now', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const request = requestFor(await newUser(shop), productId, { lines: [{ productId, quantity: 1, unitPrice: EUR_12_50 }] });
      const first = await place(shop, request);
      await shop.products.updateProduct({ productId, price: { ...EUR_12_50, units: 99n } });
      expect((await place(shop, request)).orderId).to.equal(first.orderId);
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
}
