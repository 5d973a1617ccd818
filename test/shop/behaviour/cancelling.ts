import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { MeshError } from '#kit';
import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';
import { PaymentState } from '#proto/shop/payment/v1/payment_pb.js';
import { ShipmentState } from '#proto/shop/shipping/v1/shipping_pb.js';

import { ADDRESS, finalOrder, moneyOf, newProduct, newUser, place, refusalOf, requestFor, stockOf, until } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

/** What CancelOrder promises. */
export function describeCancelling(shopOf: () => Shop): void {
  describe('cancelling an order', () => {
    async function confirmed(shop: Shop): Promise<{ order: Order; productId: string }> {
      const productId = await newProduct(shop, 10n);
      return { order: await place(shop, requestFor(await newUser(shop), productId)), productId };
    }

    async function shipmentOf(shop: Shop, orderId: string) {
      return (await shop.shipping.listShipments({ orderId })).shipments[0];
    }

    it('that is confirmed gives money, goods and shipment back', async () => {
      const shop = shopOf();
      const { order, productId } = await confirmed(shop);
      const { order: cancelled } = await shop.orders.cancelOrder({ orderId: order.orderId });
      expect(cancelled).to.deep.include({ state: OrderState.CANCELLED, reason: 'CANCELLED_BY_CALLER' });
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 0n });
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
      expect((await shipmentOf(shop, order.orderId))?.state).to.equal(ShipmentState.CANCELLED);
      expect((await shop.payments.getPayment({ orderId: order.orderId })).payment?.state).to.equal(PaymentState.REFUNDED);
    });

    it('shows every change to a watcher, numbered, also to one who begins late', async () => {
      const shop = shopOf();
      const { order } = await confirmed(shop);
      await shop.orders.cancelOrder({ orderId: order.orderId });
      const changes = [];
      for await (const { sequence, state } of shop.orders.watchOrder({ orderId: order.orderId })) changes.push([sequence, state]);
      expect(changes).to.deep.equal([
        [1n, OrderState.PENDING],
        [2n, OrderState.CONFIRMED],
        [3n, OrderState.CANCELLING],
        [4n, OrderState.CANCELLED],
      ]);
    });

    it('twice, or five times at once, cancels it once', async () => {
      const shop = shopOf();
      const { order, productId } = await confirmed(shop);
      const { orderId } = order;
      const answers = await Promise.all(Array.from({ length: 5 }, () => shop.orders.cancelOrder({ orderId })));
      answers.push(await shop.orders.cancelOrder({ orderId }));
      expect(answers.map((answer) => answer.order?.state)).to.deep.equal(answers.map(() => OrderState.CANCELLED));
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
    });

    it('whose parcel was handed over is refused, and the order stays confirmed', async () => {
      const shop = shopOf();
      const { order, productId } = await confirmed(shop);
      await shop.shipping.handOverShipment({ shipmentId: (await shipmentOf(shop, order.orderId))?.shipmentId ?? '' });
      const error = await refusalOf(shop.orders.cancelOrder({ orderId: order.orderId }));
      expect(error).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'SHIPMENT_HANDED_OVER' });
      const { order: kept } = await shop.orders.getOrder({ orderId: order.orderId });
      expect(kept).to.deep.include({ state: OrderState.CONFIRMED, reason: '' });
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 2500n });
      expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
    });

    it('and handing it over at once ends in one of the two, whole', async () => {
      const shop = shopOf();
      for (let round = 0; round < 5; round += 1) {
        const { order, productId } = await confirmed(shop);
        const shipmentId = (await shipmentOf(shop, order.orderId))?.shipmentId ?? '';
        await Promise.allSettled([shop.orders.cancelOrder({ orderId: order.orderId }), shop.shipping.handOverShipment({ shipmentId })]);
        const { state } = await until('the order is at rest', 10_000, async () => {
          const { order: now } = await shop.orders.getOrder({ orderId: order.orderId });
          return now?.state === OrderState.CANCELLING ? undefined : now;
        });
        const handedOver = (await shipmentOf(shop, order.orderId))?.state === ShipmentState.HANDED_OVER;
        expect(state).to.equal(handedOver ? OrderState.CONFIRMED : OrderState.CANCELLED);
        expect((await moneyOf(shop, order.orderId)).net).to.equal(handedOver ? 2500n : 0n);
        expect(await stockOf(shop, productId)).to.deep.equal(handedOver ? [8n, 0n, 2n] : [10n, 0n, 0n]);
      }
    });

    it('that is still on its way undoes what was done', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const userId = await newUser(shop);
      // The carrier does not answer at first, so there is time.
      const placing = place(shop, { ...requestFor(userId, productId), shippingAddress: { ...ADDRESS, postalCode: 'SIM-SLOW' } });
      const charged = await until('the card is charged', 10_000, async () => {
        const [order] = (await shop.orders.listOrders({ userId })).orders;
        return order && (await moneyOf(shop, order.orderId)).captures === 1 ? order : undefined;
      });
      const { orderId } = charged;
      const { order: cancelled } = await shop.orders.cancelOrder({ orderId });
      expect(cancelled).to.deep.include({ state: OrderState.CANCELLED, reason: 'CANCELLED_BY_CALLER' });
      expect((await placing).orderId).to.equal(orderId);
      expect(await moneyOf(shop, orderId)).to.deep.equal({ captures: 1, net: 0n });
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
      expect((await shipmentOf(shop, orderId))?.state).to.equal(ShipmentState.CANCELLED);
    });

    it('as soon as it is seen ends in one whole state, however far it has got', async () => {
      const shop = shopOf();
      for (let round = 0; round < 5; round += 1) {
        const [userId, productId] = [await newUser(shop), await newProduct(shop, 10n)];
        const placing = place(shop, requestFor(userId, productId));
        const { orderId } = await until('the order is there', 10_000, async () => (await shop.orders.listOrders({ userId })).orders[0]);
        const refused = await shop.orders.cancelOrder({ orderId }).then(
          () => '',
          (thrown: unknown) => MeshError.from(thrown).reason,
        );
        await placing;
        const { state } = await finalOrder(shop, orderId, 10_000);
        expect([state, refused]).to.deep.equal(refused ? [OrderState.CONFIRMED, 'ORDER_CONFIRMING'] : [OrderState.CANCELLED, '']);
        expect((await moneyOf(shop, orderId)).net).to.equal(refused ? 2500n : 0n);
        expect(await stockOf(shop, productId)).to.deep.equal(refused ? [8n, 0n, 2n] : [10n, 0n, 0n]);
      }
    });

    it('that has failed is refused: there is nothing to cancel', async () => {
      const shop = shopOf();
      const order = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 1n)));
      expect(order.state).to.equal(OrderState.FAILED);
      expect((await refusalOf(shop.orders.cancelOrder({ orderId: order.orderId }))).reason).to.equal('ORDER_FAILED');
    });

    it('that nobody knows is refused', async () => {
      expect((await refusalOf(shopOf().orders.cancelOrder({ orderId: `no-${randomUUID()}` }))).reason).to.equal('ORDER_NOT_FOUND');
    });
  });
}
