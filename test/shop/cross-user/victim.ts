import { randomUUID } from 'node:crypto';

import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { OrderService, OrderState } from '#proto/shop/order/v1/order_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { ShippingService } from '#proto/shop/shipping/v1/shipping_pb.js';

import { ADDRESS, EUR_12_50 } from '../orders.ts';
import type { InProcessShop } from './in-process-shop.ts';
import type { Person } from './people.ts';

/** What somebody has in the shop, and nobody else. */
export interface Victim extends Person {
  readonly productId: string;
  /** Of an order that is CONFIRMED. */
  readonly orderId: string;
  readonly shipmentId: string;
}

/** Has somebody buy something. */
export async function buy({ guarded }: InProcessShop, person: Person, staff: Person): Promise<Victim> {
  const bearer = ({ token }: Person) => ({ headers: { authorization: `Bearer ${token}` } });
  const productId = `product-${randomUUID()}`;
  await guarded.stub(ProductService, 'operator').createProduct({ productId, name: 'A product', price: EUR_12_50 });
  await guarded.stub(InventoryService, 'operator').setStock({ productId, available: 100n });
  const lines = [{ productId, quantity: 2 }];
  const request = { requestId: randomUUID(), userId: person.userId, lines, paymentMethod: 'pm_card_visa', shippingAddress: ADDRESS };
  const { order } = await guarded.stub(OrderService, '').placeOrder(request, bearer(person));
  if (order?.state !== OrderState.CONFIRMED) throw new Error(`the order is ${order?.state}, not CONFIRMED`);
  const { orderId } = order;
  const { shipments } = await guarded.stub(ShippingService, '').listShipments({ orderId }, bearer(staff));
  return { ...person, productId, orderId, shipmentId: shipments[0]?.shipmentId ?? '' };
}
