import type { MessageInitShape } from '@bufbuild/protobuf';

import type { PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';

type PlaceOrder = MessageInitShape<typeof PlaceOrderRequestSchema>;

/** A request that keeps every rule of the contract, with `changes`. */
export function placeOrderRequest(changes: Partial<PlaceOrder> = {}): PlaceOrder {
  return {
    requestId: 'request-1',
    userId: 'demo',
    lines: [{ productId: 'espresso-machine', quantity: 1, unitPrice: { currencyCode: 'EUR', units: 199n, nanos: 0 } }],
    paymentMethod: 'pm_card_visa',
    shippingAddress: { recipient: 'Ada', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' },
    ...changes,
  };
}
