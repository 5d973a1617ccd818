import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Span, SpanKind } from '@opentelemetry/api';

import { MeshError, newId, systemClock, systemRandom } from '#kit';
import type { Client } from '#mesh';
import { DEMO_BUYER } from '#modules';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { type Order, OrderService } from '#proto/shop/order/v1/order_pb.js';
import { type CreateProductRequestSchema, ProductService } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { withSpan } from '#tracing';

import type { Caller } from '../calling/caller.ts';
import { bearer, type SignedIn } from '../calling/sign-in.ts';

const euros = (units: bigint, cents = 0) => ({ currencyCode: 'EUR', units, nanos: cents * 10_000_000 });

const PRODUCTS = [
  { productId: 'espresso-machine', name: 'Espresso machine', category: 'machines', price: euros(249n), stock: 25n },
  { productId: 'grinder', name: 'Grinder', category: 'machines', price: euros(99n), stock: 40n },
  { productId: 'coffee-beans', name: 'Coffee beans, 1 kg', category: 'coffee', price: euros(12n, 50), stock: 500n },
] as const;

/** A machine on which everything has just started is busy: what usually takes milliseconds may take seconds. */
const PATIENT = { deadlineMs: 30_000 };

/** The request of the sample order; `request_id` aside it is also what `npm start` says to place where it fails. */
export const SAMPLE_ORDER = {
  userId: DEMO_BUYER.userId,
  lines: [
    { productId: 'espresso-machine', quantity: 1 },
    { productId: 'coffee-beans', quantity: 2 },
  ],
  paymentMethod: 'pm_card_visa',
  shippingAddress: { recipient: 'Demo', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' },
};

/** Writes the demo data where they are missing. What has been sold stays sold, until the sample order could not be filled any more. */
export async function seedDemo(caller: Caller): Promise<'written' | 'restocked' | 'there'> {
  const users = caller.mesh.client(UserService, caller);
  const products = caller.mesh.client(ProductService, caller);
  const inventory = caller.mesh.client(InventoryService, caller);
  return withSpan(caller.tracer, 'seed demo data', {}, async () => {
    const { userId, email, displayName } = DEMO_BUYER;
    await users.createUser({ userId, email, displayName }, PATIENT);
    let result: 'written' | 'restocked' | 'there' = 'there';
    for (const { stock, ...product } of PRODUCTS) {
      await createUnlessThere(products, product);
      const available = await availableOf(inventory, product.productId);
      const needed = SAMPLE_ORDER.lines.find(({ productId }) => productId === product.productId)?.quantity ?? 0;
      if (available !== undefined && available >= needed) continue;
      await inventory.setStock({ productId: product.productId, available: stock }, PATIENT);
      if (available === undefined) result = 'written';
      else if (result === 'there') result = 'restocked';
    }
    return result;
  });
}

/** Places one order as the customer who is signed in, and returns it with the id of its trace. */
export async function placeSampleOrder(caller: Caller, buyer: SignedIn): Promise<{ order: Order | undefined; traceId: string }> {
  const orders = caller.mesh.client(OrderService, caller);
  return withSpan(caller.tracer, 'sample order', { kind: SpanKind.INTERNAL }, async (span: Span) => {
    const { order } = await orders.placeOrder({ requestId: newId(systemClock, systemRandom), ...SAMPLE_ORDER }, { ...PATIENT, headers: bearer(buyer) });
    return { order, traceId: span.spanContext().traceId };
  });
}

/** Somebody may have changed its name or price since: then it stays as it is. */
async function createUnlessThere(products: Client<typeof ProductService>, product: MessageInitShape<typeof CreateProductRequestSchema>): Promise<void> {
  try {
    await products.createProduct(product, PATIENT);
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'PRODUCT_EXISTS') throw thrown;
  }
}

/** Undefined when its stock was never set. */
async function availableOf(inventory: Client<typeof InventoryService>, productId: string): Promise<bigint | undefined> {
  try {
    const { stock } = await inventory.getStock({ productId }, PATIENT);
    return stock?.available;
  } catch (thrown) {
    if (MeshError.from(thrown).reason === 'STOCK_NOT_SET') return undefined;
    throw thrown;
  }
}
