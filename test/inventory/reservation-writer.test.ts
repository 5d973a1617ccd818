import { randomUUID } from 'node:crypto';

import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import type { Database } from '#database';
import { systemClock } from '#kit';

import type { ReserveOutcome } from '../../services/inventory/domain.ts';
import { createReservationWriter, type ReservationWriter } from '../../services/inventory/reservation-writer.ts';
import { findStock } from '../../services/inventory/store.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { type Inventory, startInventory } from './inventory-fixture.ts';
import { lockStock, waiting } from './stock-lock.ts';

describe('the writer of reservations', function () {
  this.timeout(30_000);
  let inventory: Inventory;
  let writer: ReservationWriter;
  /** The statements that the writer has sent. */
  let sent: string[];
  before(async () => {
    inventory = await startInventory({ instances: 1, ttlMs: 60_000 });
    writer = writerOn(inventory.database);
  });
  beforeEach(() => void (sent = []));
  after(() => inventory?.stop());

  function writerOn({ query, ...database }: Database): ReservationWriter {
    const recorded: Database = {
      ...database,
      query(statement, values) {
        sent.push(statement.name);
        return query(statement, values);
      },
    };
    return createReservationWriter({ database: recorded, tracer: trace.getTracer('test'), clock: systemClock, ttlMs: 60_000 });
  }

  /** [product, quantity] of each line. */
  type Lines = readonly (readonly [string, number])[];
  const wanted = (lines: Lines, orderId = randomUUID()) => ({ orderId, lines: lines.map(([productId, quantity]) => ({ productId, quantity })) });
  const reserve = (lines: Lines, orderId = randomUUID()) => writer.reserve(wanted(lines, orderId));
  const kinds = (outcomes: readonly (ReserveOutcome | undefined)[]) => outcomes.map((outcome) => outcome?.kind);

  async function pilesOf(productId: string): Promise<unknown> {
    const stock = await findStock(inventory.database, productId);
    return [stock?.available, stock?.reserved, stock?.sold];
  }

  it('serves orders that come together by one statement for each step', async () => {
    const [a, b] = [await inventory.newProduct(500n), await inventory.newProduct(500n)];
    const orders = Array.from({ length: 50 }, (_, index) => wanted(index % 2 ? [[a, 2], [b, 3]] : [[b, 3], [a, 2]]));
    const outcomes = await Promise.all(orders.map((order) => writer.reserve(order)));
    expect(new Set(kinds(outcomes))).to.deep.equal(new Set(['reserved']));
    expect(await pilesOf(a)).to.deep.equal([400n, 100n, 0n]);
    const [sold, released] = [orders.slice(0, 30), orders.slice(30)];
    const commits = await Promise.all(sold.map(({ orderId }) => writer.commit(orderId)));
    expect(commits.map((reservation) => reservation?.orderId)).to.deep.equal(sold.map(({ orderId }) => orderId));
    await Promise.all(released.map(({ orderId }) => writer.release(orderId)));
    await Promise.all(sold.slice(0, 10).map(({ orderId }) => writer.restock(orderId)));
    expect(await pilesOf(a)).to.deep.equal([460n, 0n, 40n]);
    expect(await pilesOf(b)).to.deep.equal([440n, 0n, 60n]);
    expect(sent).to.deep.equal(['inventory.reserve', 'inventory.commit', 'inventory.release', 'inventory.restock']);
  });

  it('answers each step with the reservation as a later look finds it', async () => {
    const [a, b] = [await inventory.newProduct(9n), await inventory.newProduct(9n)];
    const orderId = randomUUID();
    const lines: Lines = a < b ? [[b, 1], [a, 2]] : [[a, 2], [b, 1]];
    const [made, again] = [await reserve(lines, orderId), await reserve(lines, orderId)];
    expect(kinds([made, again])).to.deep.equal(['reserved', 'repeat']);
    expect(made).to.deep.equal({ ...again, kind: 'reserved' });
    for (const step of [writer.commit, writer.restock]) expect(await step(orderId)).to.deep.equal(await writer.release(orderId));
  });

  it('serves them in the order in which they came, as if one by one', async () => {
    const productId = await inventory.newProduct(5n);
    const outcomes = await Promise.all([3, 3, 1, 2, 1].map((quantity) => reserve([[productId, quantity]])));
    expect(kinds(outcomes)).to.deep.equal(['reserved', 'refused', 'reserved', 'refused', 'reserved']);
    expect(await pilesOf(productId)).to.deep.equal([0n, 5n, 0n]);
  });

  it('refuses nobody for the sake of one who gets nothing himself', async () => {
    const [scarce, gone] = [await inventory.newProduct(1n), await inventory.newProduct(0n)];
    const unknown = randomUUID();
    const outcomes = await Promise.all([reserve([[scarce, 1], [gone, 1]]), reserve([[unknown, 1], [scarce, 1]]), reserve([[scarce, 2]]), reserve([[scarce, 1]])]);
    const refused = (productId: string, quantity: number, isStockSet: boolean) => ({ kind: 'refused', line: { productId, quantity }, isStockSet });
    expect(outcomes.slice(0, 3)).to.deep.equal([refused(gone, 1, true), refused(unknown, 1, false), refused(scarce, 2, true)]);
    expect(kinds(outcomes.slice(3))).to.deep.equal(['reserved']);
    expect(await pilesOf(scarce)).to.deep.equal([0n, 1n, 0n]);
  });

  it('refuses any number of orders for what is sold out by one look at the stock and one at what they have', async () => {
    const productId = await inventory.newProduct(0n);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => reserve([[productId, 1]])));
    expect(new Set(kinds(outcomes))).to.deep.equal(new Set(['refused']));
    expect(sent).to.deep.equal(['inventory.reserve', 'inventory.find_reservations']);
  });

  it('takes the goods of an order once, also when it comes twice in one group or when nothing is left', async () => {
    const productId = await inventory.newProduct(3n);
    const orderId = randomUUID();
    const twice = await Promise.all([reserve([[productId, 3]], orderId), reserve([[productId, 2]], orderId)]);
    expect(kinds(twice)).to.deep.equal(['reserved', 'repeat']);
    expect(kinds(await Promise.all([reserve([[productId, 1]]), reserve([[productId, 3]], orderId)]))).to.deep.equal(['refused', 'repeat']);
    expect(await pilesOf(productId)).to.deep.equal([0n, 3n, 0n]);
  });

  it('moves the goods of an order once, also when it comes twice in one group', async () => {
    const productId = await inventory.newProduct(10n);
    const [first, second] = [randomUUID(), randomUUID()];
    await Promise.all([reserve([[productId, 4]], first), reserve([[productId, 3]], second)]);
    for (const [step, piles] of [[writer.commit, [3n, 0n, 7n]], [writer.restock, [10n, 0n, 0n]]] as const) {
      const answers = await Promise.all([first, second, first, second].map((orderId) => step(orderId)));
      expect(answers.slice(0, 2)).to.deep.equal(answers.slice(2));
      expect(await pilesOf(productId)).to.deep.equal(piles);
    }
  });

  it('leaves a released reservation behind for those that never reserved, beside those that did', async () => {
    const productId = await inventory.newProduct(10n);
    const [reserved, never, sold] = [randomUUID(), randomUUID(), randomUUID()];
    await Promise.all([reserve([[productId, 1]], reserved), reserve([[productId, 2]], sold)]);
    await writer.commit(sold);
    const answers = await Promise.all([reserved, never, sold, never].map((orderId) => writer.release(orderId)));
    expect(answers.map((reservation) => [reservation?.state, reservation?.lines.length])).to.deep.equal([['RELEASED', 1], ['RELEASED', 0], ['COMMITTED', 1], ['RELEASED', 0]]);
    expect(kinds([await reserve([[productId, 1]], never)])).to.deep.equal(['repeat']);
    expect(await pilesOf(productId)).to.deep.equal([8n, 0n, 2n]);
  });

  it('serves others while somebody holds the stock that one of them wants', async () => {
    const [held, free] = [await inventory.newProduct(1n), await inventory.newProduct(1n)];
    const letGo = await lockStock(inventory.database, held);
    const first = reserve([[held, 1]]);
    await waiting(inventory.database, 1);
    expect(kinds([await reserve([[free, 1]])])).to.deep.equal(['reserved']);
    await letGo();
    expect(kinds([await first])).to.deep.equal(['reserved']);
  });

  it('gives up when others are faster again and again, and says that it may be tried again', async () => {
    const outrun = Object.assign(new Error('outrun'), { constraint: 'stock_available_check' });
    writer = writerOn({ ...inventory.database, query: () => Promise.reject(new Error('failed', { cause: outrun })) });
    await expectRefusal('DATABASE_UNAVAILABLE', reserve([['any', 1]]));
    expect(sent).to.deep.equal(Array.from({ length: 10 }, () => 'inventory.reserve'));
    writer = writerOn(inventory.database);
  });
});
