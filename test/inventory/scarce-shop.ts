import { expect } from 'chai';

import type { Database } from '#database';
import { MeshError, newId, type Random, systemClock } from '#kit';

import { pageOfStock, type ReservationInBooks, reservationsInBooks, type StockInBooks } from '../../services/inventory/books.ts';
import type { Line } from '../../services/inventory/domain.ts';
import { type Inventory, startInventory } from './inventory-fixture.ts';

export interface Order {
  readonly orderId: string;
  readonly lines: readonly Line[];
}

/** A few products of which there are a few pieces, and orders at all instances that want them. */
export interface ScarceShop {
  readonly inventory: Inventory;
  /** An order for up to three of the products, named in any order. */
  newOrder(): Order;
  /** True when it was done, false when it was refused by one of `reasons`; at any instance. */
  reserve(order: Order): Promise<boolean>;
  commit(order: Order): Promise<boolean>;
  release(order: Order): Promise<boolean>;
  restock(order: Order): Promise<boolean>;
  /** Lets the reservations of these orders run out. */
  runOut(orders: readonly Order[]): Promise<void>;
  reservationsOf(orders: readonly Order[]): Promise<Map<string, ReservationInBooks>>;
  /** What there is of each product; fails unless each piece is where the reservations say. */
  balancedStock(): Promise<Map<string, StockInBooks>>;
  /** Statements that Postgres broke off because they waited for each other in a circle. */
  brokenOff(): number;
}

const PRODUCTS = 6;
const PIECES = 25;

export async function openScarceShop(instances: number, random: Random): Promise<ScarceShop> {
  let [asked, tried] = [0, 0];
  const countAsked = ({ query, ...database }: Database): Database => ({
    ...database,
    query(statement, values) {
      asked += 1;
      return query(statement, values);
    },
  });
  const inventory = await startInventory({
    instances,
    ttlMs: 15 * 60_000,
    wrap: countAsked,
    // SetStock is a transaction, and no statement that was asked.
    hooks: { beforeCommit: (name) => void (tried += name === 'inventory.set_stock' ? 0 : 1) },
  });
  const productIds: string[] = [];
  for (let count = 0; count < PRODUCTS; count += 1) productIds.push(await inventory.newProduct(BigInt(PIECES)));
  const below = (limit: number): number => Math.floor(random.number() * limit);
  const anyInstance = () => inventory.clients[below(instances)] ?? inventory.client;

  return {
    inventory,
    newOrder() {
      const wanted = productIds.toSorted(() => random.number() - 0.5).slice(0, 1 + below(3));
      return { orderId: newId(systemClock, random), lines: wanted.map((productId) => ({ productId, quantity: 1 + below(4) })) };
    },
    reserve: ({ orderId, lines }) => isDone(anyInstance().reserve({ orderId, lines: [...lines] }), ['OUT_OF_STOCK', 'RESERVATION_RELEASED', 'RESERVATION_EXPIRED']),
    commit: ({ orderId }) => isDone(anyInstance().commit({ orderId }), ['RESERVATION_RELEASED', 'RESERVATION_EXPIRED']),
    release: ({ orderId }) => isDone(anyInstance().release({ orderId }), ['RESERVATION_COMMITTED']),
    restock: ({ orderId }) => isDone(anyInstance().restock({ orderId }), ['RESERVATION_NOT_COMMITTED']),
    async runOut(orders) {
      const text = 'UPDATE reservation SET expire_time = now() WHERE order_id = ANY($1)';
      await inventory.database.query({ name: 'test.run_out', text }, [orders.map(({ orderId }) => orderId)]);
    },
    async reservationsOf(orders) {
      const found = await reservationsInBooks(inventory.database, orders.map(({ orderId }) => orderId));
      return new Map(found.map((reservation) => [reservation.orderId, reservation]));
    },
    async balancedStock() {
      const stock = await pageOfStock(inventory.database, '', PRODUCTS);
      for (const { available, reserved, sold, received, linesReserved, linesSold } of stock) {
        expect(received).to.equal(BigInt(PIECES));
        // The books' sums are numeric, which arrives as text.
        expect([String(linesReserved), String(linesSold)]).to.deep.equal([String(reserved), String(sold)]);
        expect(available + reserved + sold).to.equal(received);
      }
      return new Map(stock.map((entry) => [entry.productId, entry]));
    },
    brokenOff: () => tried - asked,
  };
}

async function isDone(call: Promise<unknown>, reasons: readonly string[]): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (thrown) {
    expect(reasons).to.include(MeshError.from(thrown).reason);
    return false;
  }
}
