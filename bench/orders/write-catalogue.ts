import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { NotificationCategory, NotificationService } from '#proto/shop/notification/v1/notification_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { CURRENCY, PRICE_MINOR, PRODUCT_IDS, STOCK, USER_ID } from './catalogue.ts';
import { type Caller, openCaller } from './caller.ts';

const EVERYTHING = [NotificationCategory.ORDER, NotificationCategory.PAYMENT, NotificationCategory.SHIPPING];

/** Writes the buyer, the goods and their stock through the services on these ports. */
export async function writeCatalogue(portOf: (service: string) => number): Promise<void> {
  const open = (service: string): Caller => openCaller(portOf(service));
  const callers = { users: open('user'), products: open('product'), inventory: open('inventory'), notifications: open('notification') };
  try {
    await write(callers);
  } finally {
    for (const caller of Object.values(callers)) caller.close();
  }
}

async function write({ users, products, inventory, notifications }: Readonly<Record<'users' | 'products' | 'inventory' | 'notifications', Caller>>): Promise<void> {
  await users.call(UserService.method.createUser, { userId: USER_ID, email: 'buyer@example.com', displayName: 'Buyer' });
  // What we are compared with writes notices and mails nobody, so neither do we.
  await notifications.call(NotificationService.method.setPreferences, { userId: USER_ID, preferences: { muted: EVERYTHING } });
  const price = { currencyCode: CURRENCY, units: BigInt(Math.floor(PRICE_MINOR / 100)), nanos: (PRICE_MINOR % 100) * 10_000_000 };
  for (const productId of PRODUCT_IDS) {
    await products.call(ProductService.method.createProduct, { productId, name: productId, price });
    await inventory.call(InventoryService.method.setStock, { productId, available: BigInt(STOCK) });
  }
}
