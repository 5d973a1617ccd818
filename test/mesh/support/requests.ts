import type { MessageInitShape } from '@bufbuild/protobuf';

import type { OrderLineSchema, PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';

interface Changes {
  readonly requestId?: string;
  readonly lines?: MessageInitShape<typeof OrderLineSchema>[];
}

/** A request that keeps every rule of the contract but what is changed. */
export function placeOrderRequest({ requestId = 'request-1', lines }: Changes = {}): MessageInitShape<typeof PlaceOrderRequestSchema> {
  return {
    requestId,
    userId: 'demo',
    lines: lines ?? [{ productId: 'espresso-machine', quantity: 1, unitPrice: { currencyCode: 'EUR', units: 199n, nanos: 0 } }],
    paymentMethod: 'pm_card_visa',
    shippingAddress: { recipient: 'Ada', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' },
  };
}
