import { randomUUID } from 'node:crypto';

import { EUR_12_50, newProduct, stockOf } from '../../orders.ts';
import type { Shop } from '../../shop-fixture.ts';
import type { Sample, Samples } from './sample.ts';

/** Users, products and their stock. */
export const goodsSamples: Samples = {
  'shop.user.v1.UserService/CreateUser': async ({ users }) => {
    const user = { userId: `u-${randomUUID()}`, email: 'a@example.com', displayName: 'A' };
    return {
      send: () => users.createUser(user),
      sendOther: () => users.createUser({ ...user, displayName: 'B' }),
      refusal: 'USER_EXISTS',
      books: async () => (await users.getUser({ userId: user.userId })).user?.displayName,
      once: 'A',
    };
  },

  'shop.product.v1.ProductService/CreateProduct': async (shop) => {
    const { products } = shop;
    const product = { productId: `p-${randomUUID()}`, name: 'Grinder', price: EUR_12_50 };
    return {
      send: () => products.createProduct(product),
      sendOther: () => products.createProduct({ ...product, name: 'Mill' }),
      refusal: 'PRODUCT_EXISTS',
      books: () => nameOf(shop, product.productId),
      once: 'Grinder',
    };
  },

  'shop.product.v1.ProductService/UpdateProduct': async (shop) => {
    const { products } = shop;
    const change = { productId: await newProduct(shop, 1n), name: 'Grinder', requestId: randomUUID() };
    return {
      send: () => products.updateProduct(change),
      sendOther: () => products.updateProduct({ ...change, name: 'Mill' }),
      books: () => nameOf(shop, change.productId),
      once: 'Grinder',
      later: { do: () => products.updateProduct({ ...change, name: 'Kettle', requestId: randomUUID() }), books: 'Kettle' },
    };
  },

  'shop.inventory.v1.InventoryService/SetStock': async (shop) => {
    const { inventory } = shop;
    const stock = { productId: await newProduct(shop, 1n), available: 5n, requestId: randomUUID() };
    return {
      send: () => inventory.setStock(stock),
      sendOther: () => inventory.setStock({ ...stock, available: 6n }),
      books: () => stockOf(shop, stock.productId),
      once: [5n, 0n, 0n],
      later: { do: () => inventory.setStock({ ...stock, available: 7n, requestId: randomUUID() }), books: [7n, 0n, 0n] },
    };
  },

  'shop.inventory.v1.InventoryService/Reserve': async (shop) => {
    const { productId, reservation } = await newReservation(shop);
    const { orderId } = reservation;
    return {
      send: () => shop.inventory.reserve(reservation),
      sendOther: () => shop.inventory.reserve({ ...reservation, lines: [{ productId, quantity: 4 }] }),
      books: () => stockOf(shop, productId),
      once: [7n, 3n, 0n],
      later: { do: () => shop.inventory.commit({ orderId }), books: [7n, 0n, 3n] },
    };
  },

  'shop.inventory.v1.InventoryService/Commit': (shop) => ofReserved(shop, shop.inventory.commit, [7n, 0n, 3n]),
  'shop.inventory.v1.InventoryService/Release': (shop) => ofReserved(shop, shop.inventory.release, [10n, 0n, 0n]),

  'shop.inventory.v1.InventoryService/Restock': async (shop) => {
    const { productId, reservation } = await newReservation(shop);
    const { orderId } = reservation;
    await shop.inventory.reserve(reservation);
    await shop.inventory.commit({ orderId });
    return { send: () => shop.inventory.restock({ orderId }), books: () => stockOf(shop, productId), once: [10n, 0n, 0n] };
  },
};

const nameOf = async ({ products }: Shop, productId: string): Promise<string | undefined> => (await products.getProduct({ productId })).product?.name;

/** Three of ten pieces, not reserved yet. */
async function newReservation(shop: Shop) {
  const productId = await newProduct(shop, 10n);
  return { productId, reservation: { orderId: randomUUID(), lines: [{ productId, quantity: 3 }] } };
}

/** A method that is called for an order with a reservation. */
async function ofReserved(shop: Shop, call: Shop['inventory']['commit'] | Shop['inventory']['release'], once: unknown): Promise<Sample> {
  const { productId, reservation } = await newReservation(shop);
  await shop.inventory.reserve(reservation);
  const { orderId } = reservation;
  return { send: () => call({ orderId }), books: () => stockOf(shop, productId), once };
}
