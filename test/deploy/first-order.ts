import { randomUUID } from 'node:crypto';

/** `mesh call METHOD REQUEST --json`, however it is run; returns what it printed. */
export type MeshCall = (method: string, request: string) => Promise<string>;

/** The fields of an order that the tests look at. */
export interface PlacedOrder {
  readonly orderId: string;
  readonly state: string;
}

/** What a shop's first customer does, by one call to each of four services. */
export async function placeFirstOrder(call: MeshCall): Promise<PlacedOrder> {
  const productId = `kettle-${randomUUID()}`;
  const { user } = await answer<{ user: { userId: string } }>(call, 'user.CreateUser', { email: 'buyer@example.com', displayName: 'Buyer' });
  await answer(call, 'product.CreateProduct', { productId, name: 'Kettle', price: { currencyCode: 'EUR', units: '30' } });
  await answer(call, 'inventory.SetStock', { productId, available: '3' });
  const { order } = await answer<{ order: PlacedOrder }>(call, 'order.PlaceOrder', {
    requestId: randomUUID(),
    userId: user.userId,
    lines: [{ productId, quantity: 2 }],
    paymentMethod: 'pm_card_visa',
    shippingAddress: { recipient: 'Buyer', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' },
  });
  return order;
}

async function answer<T>(call: MeshCall, method: string, request: object): Promise<T> {
  // The contract says what the answer holds.
  return JSON.parse(await call(method, JSON.stringify(request))) as T;
}
