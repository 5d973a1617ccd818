import type { MessageInitShape } from '@bufbuild/protobuf';

import { newId, systemClock, systemRandom } from '#kit';
import { OrderService, OrderState, type PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';

import { answerParent } from '../rpc/parent.ts';
import { openCaller } from './caller.ts';
import { PRODUCT_IDS, USER_IDS } from './catalogue.ts';
import { type Load, measureLoad } from './load.ts';

/** The buyers of one shop, in a process of their own. */
const { port }: { readonly port: number } = JSON.parse(process.argv[2] ?? '{}');
const caller = openCaller(port);

const ADDRESS = { recipient: 'Buyer', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' };

/** Any buyer's, of two goods, always two different ones. */
function newOrder(): MessageInitShape<typeof PlaceOrderRequestSchema> {
  const userId = USER_IDS[below(USER_IDS.length)] ?? '';
  const first = below(PRODUCT_IDS.length);
  const second = (first + 1 + below(PRODUCT_IDS.length - 1)) % PRODUCT_IDS.length;
  const lines = [first, second].map((index, at) => ({ productId: PRODUCT_IDS[index] ?? '', quantity: at + 1 }));
  return { requestId: newId(systemClock, systemRandom), userId, lines, paymentMethod: 'pm_card_visa', shippingAddress: ADDRESS };
}

function below(count: number): number {
  return Math.floor(systemRandom.number() * count);
}

async function placeOrder(): Promise<void> {
  const { order } = await caller.call(OrderService.method.placeOrder, newOrder());
  if (order?.state !== OrderState.CONFIRMED) throw new Error(`an order ended ${OrderState[order?.state ?? 0]} (${order?.reason ?? ''})`);
}

answerParent({}, { measure: (load: Load) => measureLoad(placeOrder, load) });
