import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ChannelCredentials } from '@grpc/grpc-js';

import { connectConsul } from '#discovery';
import { newId, silentLog, systemClock, systemRandom } from '#kit';
import { meshCredentials } from '#mesh';
import { OrderService, OrderState, type PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';

import { answerParent } from '../rpc/parent.ts';
import { openCaller } from './caller.ts';
import { catalogueOf, type Extent } from './catalogue.ts';
import { type Load, measureLoad } from './load.ts';
import { type BearerOf, openTokens } from './tokens.ts';

/** The buyers of one shop, in a process of their own. */
const { port, registry, extent }: { readonly port: number; readonly registry?: string; readonly extent: Extent } = JSON.parse(process.argv[2] ?? '{}');
const { userIds, productIds } = catalogueOf(extent);
const caller = openCaller(port, registry === undefined ? undefined : await certified(registry));

/** As a service of the mesh, to order. Renewed until this process ends. */
async function certified(address: string): Promise<ChannelCredentials> {
  const { certificates } = await connectConsul({ address, clock: systemClock, random: systemRandom, log: silentLog });
  return meshCredentials(await certificates.identity('bench'), 'order');
}

/** Undefined where nobody asks who they are. */
let bearerOf: BearerOf | undefined;

const ADDRESS = { recipient: 'Buyer', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' };

/** Any buyer's, of two goods, always two different ones. */
function newOrder(): MessageInitShape<typeof PlaceOrderRequestSchema> {
  const userId = userIds[below(userIds.length)] ?? '';
  const first = below(productIds.length);
  const second = (first + 1 + below(productIds.length - 1)) % productIds.length;
  const lines = [first, second].map((index, at) => ({ productId: productIds[index] ?? '', quantity: at + 1 }));
  return { requestId: newId(systemClock, systemRandom), userId, lines, paymentMethod: 'pm_card_visa', shippingAddress: ADDRESS };
}

function below(count: number): number {
  return Math.floor(systemRandom.number() * count);
}

async function placeOrder(): Promise<void> {
  const request = newOrder();
  const { order } = await caller.call(OrderService.method.placeOrder, request, await bearerOf?.(request.userId ?? ''));
  if (order?.state !== OrderState.CONFIRMED) throw new Error(`an order ended ${OrderState[order?.state ?? 0]} (${order?.reason ?? ''})`);
}

/** All buyers have their tokens before anything is measured. */
async function signIn(usersUrl: string): Promise<void> {
  ({ bearerOf } = openTokens(usersUrl));
  await Promise.all(userIds.map((userId) => bearerOf?.(userId)));
}

answerParent({}, { signIn, measure: (load: Load) => measureLoad(placeOrder, load) });
