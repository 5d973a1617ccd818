import { type Money, fromProtoMoney, refusal } from '#kit';
import type { Client } from '#mesh';
import type { ProductService } from '#proto/shop/product/v1/product_pb.js';
import type { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { Order, OrderLine } from './domain.ts';

/** What a buyer asks for. */
export interface Wanted extends Pick<Order, 'userId' | 'paymentMethod' | 'shippingAddress'> {
  readonly lines: readonly WantedLine[];
}

interface WantedLine {
  readonly productId: string;
  readonly quantity: number;
  /** The price the buyer was shown; undefined when the caller does not mind. */
  readonly seenPrice: Money | undefined;
}

/** What the shop offers for it: the same with names and prices. */
export type Offer = Pick<Order, 'userId' | 'lines' | 'paymentMethod' | 'shippingAddress'>;

interface Given {
  readonly users: Client<typeof UserService>;
  readonly products: Client<typeof ProductService>;
}

/** Looks up buyer and products as they are now. USER_NOT_FOUND, PRODUCT_NOT_FOUND, PRICE_CHANGED. */
export async function offerFor({ users, products }: Given, wanted: Wanted): Promise<Offer> {
  const productIds = wanted.lines.map(({ productId }) => productId);
  const [, answer] = await Promise.all([users.getUser({ userId: wanted.userId }), products.batchGetProducts({ productIds })]);
  const current = new Map(answer.products.map((product) => [product.productId, product]));
  const lines = wanted.lines.map((line): OrderLine => {
    const product = current.get(line.productId);
    // BatchGetProducts answers every product with its price, or fails.
    if (!product?.price) throw refusal('PRODUCT_NOT_FOUND', `there is no product ${line.productId}`, { metadata: { product_id: line.productId } });
    const unitPrice = fromProtoMoney(product.price);
    requirePriceSeen(line, unitPrice);
    return { productId: line.productId, name: product.name, quantity: line.quantity, unitPrice };
  });
  return { ...wanted, lines };
}

function requirePriceSeen({ productId, seenPrice }: WantedLine, { minor, currency }: Money): void {
  if (!seenPrice || (seenPrice.minor === minor && seenPrice.currency === currency)) return;
  throw refusal('PRICE_CHANGED', `${productId} does not cost what the buyer has seen any more; show the new price and order again with another request_id`, {
    metadata: { product_id: productId, price_minor: minor.toString(), currency },
  });
}
