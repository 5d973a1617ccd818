import { moneyOf, newProduct, newUser, place, requestFor, stockOf } from '../../orders.ts';
import type { Shop } from '../../shop-fixture.ts';
import { bookOf, requestTo } from '../shipments.ts';
import type { Samples } from './sample.ts';

/** Orders and their shipments. */
export const orderSamples: Samples = {
  'shop.order.v1.OrderService/PlaceOrder': async (shop) => {
    const { request, userId, productId } = await newRequest(shop);
    const orderIds = async (): Promise<string[]> => (await shop.orders.listOrders({ userId })).orders.map(({ orderId }) => orderId);
    return {
      send: () => shop.orders.placeOrder(request),
      sendOther: () => shop.orders.placeOrder({ ...request, paymentMethod: 'pm_card_mastercard' }),
      books: async () => ({ orders: (await orderIds()).length, ...(await booksOf(shop, (await orderIds())[0] ?? '', productId)) }),
      once: { orders: 1, ...SOLD },
      later: { do: async () => shop.orders.cancelOrder({ orderId: (await orderIds())[0] ?? '' }), books: { orders: 1, ...CANCELLED } },
    };
  },

  'shop.order.v1.OrderService/CancelOrder': async (shop) => {
    const { request, productId } = await newRequest(shop);
    const { orderId } = await place(shop, request);
    return { send: () => shop.orders.cancelOrder({ orderId }), books: () => booksOf(shop, orderId, productId), once: CANCELLED };
  },

  'shop.shipping.v1.ShippingService/ScheduleShipment': async (shop) => {
    const request = requestTo();
    return {
      send: () => shop.shipping.scheduleShipment(request),
      sendOther: () => shop.shipping.scheduleShipment({ ...request, lines: [{ productId: 'beans', quantity: 2 }] }),
      books: () => bookingsOf(shop, request.orderId),
      once: ['BOOKED'],
    };
  },

  'shop.shipping.v1.ShippingService/CancelShipment': async (shop) => {
    const { orderId } = requestTo();
    await shop.shipping.scheduleShipment(requestTo(undefined, { orderId }));
    return { send: () => shop.shipping.cancelShipment({ orderId }), books: () => bookingsOf(shop, orderId), once: ['CANCELLED'] };
  },

  'shop.shipping.v1.ShippingService/HandOverShipment': async (shop) => {
    const { request } = await newRequest(shop);
    const { orderId } = await place(shop, request);
    const list = async () => (await shop.shipping.listShipments({ orderId })).shipments;
    const shipmentId = (await list())[0]?.shipmentId ?? '';
    return {
      send: () => shop.shipping.handOverShipment({ shipmentId }),
      books: async () => (await list()).map((shipment) => shipment.shipmentId),
      once: [shipmentId],
    };
  },
};

const SOLD = { money: { captures: 1, net: 2_500n }, stock: [8n, 0n, 2n] };
const CANCELLED = { money: { captures: 1, net: 0n }, stock: [10n, 0n, 0n] };

/** A request for two of ten pieces, by a buyer who has ordered nothing else. */
async function newRequest(shop: Shop) {
  const [userId, productId] = [await newUser(shop), await newProduct(shop, 10n)];
  return { userId, productId, request: requestFor(userId, productId) };
}

const booksOf = async (shop: Shop, orderId: string, productId: string) => ({ money: await moneyOf(shop, orderId), stock: await stockOf(shop, productId) });

/** What the carrier has in its book. */
const bookingsOf = async (shop: Shop, orderId: string): Promise<string[]> => (await bookOf(shop, orderId)).map(({ state }) => state);
