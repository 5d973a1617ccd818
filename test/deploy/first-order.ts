import { randomUUID } from 'node:crypto';

import type { MeshCall } from './mesh-call.ts';
import type { Buyer } from './sign-up.ts';

/** The fields of an order that the tests look at. */
export interface PlacedOrder {
  readonly orderId: string;
  readonly state: string;
}

/** What a shop's first customer does, once an operator has put something on the shelf. */
export async function placeFirstOrder(call: MeshCall, { userId, token }: Buyer): Promise<PlacedOrder> {
  const productId = `kettle-${randomUUID()}`;
  const asBuyer: MeshCall = (method, request) => call(method, request, '--header', `authorization: Bearer ${token}`);
  await answer(call, 'product.CreateProduct', { productId, name: 'Kettle', price: { currencyCode: 'EUR', units: '30' } });
  await answer(call, 'inventory.SetStock', { productId, available: '3' });
  const { order } = await answer<{ order: PlacedOrder }>(asBuyer, 'order.PlaceOrder', {
    requestId: randomUUID(),
    userId,
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
