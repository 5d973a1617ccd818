import { setTimeout as delay } from 'node:timers/promises';

import { status } from '@grpc/grpc-js';

import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { NotificationCategory, NotificationService } from '#proto/shop/notification/v1/notification_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { type Catalogue, CURRENCY, PRICE_MINOR, STOCK } from './catalogue.ts';
import { type Caller, openCaller } from './caller.ts';
import { type BearerOf, openTokens } from './tokens.ts';

interface Callers extends Readonly<Record<'users' | 'products' | 'inventory' | 'notifications', Caller>> {
  readonly bearerOf: BearerOf;
}

const EVERYTHING = [NotificationCategory.ORDER, NotificationCategory.PAYMENT, NotificationCategory.SHIPPING];

/** Who has no account. */
const STAFF = 'staff-of-bench';

/** Calls at once: no method takes more than one buyer, and in full there are 2,400 calls to make. */
const LANES = 8;

/** A machine may be so busy that a call does not make its deadline of 1 or 2 s. Each of these may be repeated; waits 0.5, 1, 2 and 4 s. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 500;
const TRANSIENT: readonly unknown[] = [status.DEADLINE_EXCEEDED, status.UNAVAILABLE, status.RESOURCE_EXHAUSTED];

/** Writes the buyers, the goods and their stock through the services on these ports, as staff, and for each buyer as that one. */
export async function writeCatalogue({ userIds, productIds }: Catalogue, portOf: (service: string) => number, usersUrl: string): Promise<void> {
  const open = (service: string): Caller => openCaller(portOf(service));
  const { bearerOf, stop } = openTokens(usersUrl);
  const stubs = { users: open('user'), products: open('product'), inventory: open('inventory'), notifications: open('notification') };
  const callers = { ...stubs, bearerOf };
  try {
    await forEach(productIds, (productId) => writeProduct(callers, productId));
    await forEach(userIds, (userId) => writeBuyer(callers, userId));
  } finally {
    for (const caller of Object.values(stubs)) caller.close();
    await stop();
  }
}

async function writeProduct({ products, inventory, bearerOf }: Callers, productId: string): Promise<void> {
  const price = { currencyCode: CURRENCY, units: BigInt(Math.floor(PRICE_MINOR / 100)), nanos: (PRICE_MINOR % 100) * 10_000_000 };
  const asStaff = await bearerOf(STAFF, 'staff');
  await products.call(ProductService.method.createProduct, { productId, name: productId, price }, asStaff);
  await inventory.call(InventoryService.method.setStock, { productId, available: BigInt(STOCK) }, asStaff);
}

async function writeBuyer({ users, notifications, bearerOf }: Callers, userId: string): Promise<void> {
  await users.call(UserService.method.createUser, { userId, email: `${userId}@example.com`, displayName: 'Buyer' }, await bearerOf(STAFF, 'staff'));
  // What we are compared with writes notices and mails nobody, so neither do we.
  await notifications.call(NotificationService.method.setPreferences, { userId, preferences: { muted: EVERYTHING } }, await bearerOf(userId));
}

async function forEach(ids: readonly string[], write: (id: string) => Promise<void>): Promise<void> {
  const rest = ids.values();
  const lane = async (): Promise<void> => {
    for (const id of rest) await withRetries(() => write(id));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function withRetries(write: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (thrown) {
      if (attempt === ATTEMPTS || !isTransient(thrown)) throw thrown;
      await delay(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}

function isTransient(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && TRANSIENT.includes(thrown.code);
}
