import { join } from 'node:path';

import { expect } from 'chai';

import { CHECKS } from '../../cli/books/difference.ts';
import { LEDGER_URL } from '../../cli/books/ledger-place.ts';
import type { Database } from '#database';
import { createLifecycle, silentLog } from '#kit';
import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';
import { openSimulatorDatabase } from '#stripe-simulator';
import { meshHere } from '../cli/support/in-process.ts';
import { type Environment, inherited } from '../cli/support/shop-folder.ts';
import { compareShop, expectBooksAgree } from '../shop/books-agree.ts';
import { newProduct, newUser, place, requestFor, until } from '../shop/orders.ts';
import { type Shop, startShop } from '../shop/shop-fixture.ts';
import { REAL_SPOILINGS, type RealSpoiling } from './real-spoilings.ts';

describe('mesh doctor books, beside a shop', function () {
  this.timeout(60_000);
  this.slow(3_000);
  const lifecycle = createLifecycle(silentLog);
  let shop: Shop;
  let ledger: Database;
  let userId: string;
  before(async () => {
    shop = await startShop({ topology: 'monolith' });
    lifecycle.onStop('shop', shop.stop);
    ledger = openSimulatorDatabase({ databaseUrl: shop.environment[LEDGER_URL] ?? '', log: silentLog });
    lifecycle.onStop('ledger', () => ledger.stop());
    userId = await newUser(shop);
  });
  after(() => lifecycle.stop());

  const beside = (): Environment => ({ ...inherited(), MESH_DATA_DIR: shop.environment['MESH_DATA_DIR'] ?? '' });

  async function orderThatIs(fate: RealSpoiling['of']): Promise<Order> {
    const paymentMethod = fate === 'declined' ? 'pm_card_chargeDeclined' : 'pm_card_visa';
    const order = await place(shop, requestFor(userId, await newProduct(shop, 10n), { paymentMethod }));
    if (fate === 'cancelled') await shop.orders.cancelOrder({ orderId: order.orderId });
    return order;
  }

  /** Whoever takes a notice away has to wait until it is there. */
  const isTold = (orderId: string): Promise<true> =>
    until(`the buyer of ${orderId} is told`, 10_000, async () => {
      const text = `SELECT FROM notification WHERE order_id = $1 AND kind = 'ORDER_' || $2`;
      const { order } = await shop.orders.getOrder({ orderId });
      const told = await shop.database('notification').query({ name: 'test.is_told', text }, [orderId, OrderState[order?.state ?? 0]]);
      return told.length > 0 ? true : undefined;
    });

  it('finds that they agree, and says so line by line', async () => {
    for (const fate of ['confirmed', 'cancelled', 'declined'] as const) await orderThatIs(fate);
    await place(shop, requestFor(userId, await newProduct(shop, 1n)));
    const { exitCode, stdout, stderr } = await meshHere(['doctor', 'books'], beside());
    expect({ exitCode, stderr }, stdout).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(stdout).to.match(/^4 orders: 1 confirmed, 2 failed, 1 cancelled, 0 on their way; 4 products$/m);
    for (const check of [...CHECKS, 'totals']) expect(stdout).to.match(new RegExp(`^OK +${check} +\\w`, 'm'));
    expect(stdout).to.match(/^EUR +50\.00 +25\.00 +25\.00 +25\.00 +0\.00 +0\.00 +0\.00$/m);
  });

  it('tells programs the same', async () => {
    const { exitCode, stdout } = await meshHere(['doctor', 'books', '--json'], beside());
    expect(exitCode).to.equal(0);
    const report = JSON.parse(stdout) as { agree: boolean; ledger: string; orders: object; totals: object[]; checks: { differences: number }[] };
    expect(report).to.deep.include({ agree: true, ledger: 'card simulator', orders: { confirmed: 1, failed: 2, cancelled: 1, moving: 0 } });
    expect(report.totals).to.deep.equal([
      { currency: 'EUR', captured: '5000', refunded: '2500', confirmed: '2500', partsBack: '0', onTheWay: '0', withoutOrder: '0', net: '2500', difference: '0' },
    ]);
    expect(report.checks.map(({ differences }) => differences)).to.deep.equal(CHECKS.map(() => 0));
  });

  it('finds them by DATABASE_URL as well, the ledger beside it', async () => {
    const { MESH_DATA_DIR = '', DATABASE_OWNER_URL_ORDER = '' } = shop.environment;
    const environment = { ...beside(), MESH_DATA_DIR: join(MESH_DATA_DIR, 'no-shop-here'), DATABASE_URL: DATABASE_OWNER_URL_ORDER };
    const { exitCode, stdout } = await meshHere(['doctor', 'books', '--json'], environment);
    expect(exitCode, stdout).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.include({ agree: true, ledger: 'card simulator' });
  });

  it('takes parts that were given back of a confirmed order for what they are', async () => {
    const { orderId } = await orderThatIs('confirmed');
    const amount = { currencyCode: 'EUR', units: 5n, nanos: 0 };
    await shop.payments.refundPart({ orderId, refundId: `part-${orderId}`, amount, reason: 'one cup was broken' });
    const report = await compareShop(shop);
    expect(report.checks.flatMap(({ listed }) => listed)).to.deep.equal([]);
    expect(report.totals[0]).to.include({ partsBack: 500n });
    expect(report.agree).to.equal(true);
  });

  it('raises no false alarm while orders are placed and cancelled', async () => {
    const productId = await newProduct(shop, 1_000n);
    let isOver = false;
    const buyer = async (): Promise<void> => {
      while (!isOver) {
        const { orderId, state } = await place(shop, requestFor(userId, productId));
        if (state === OrderState.CONFIRMED) await shop.orders.cancelOrder({ orderId });
      }
    };
    const buying = Promise.all([buyer(), buyer(), buyer(), buyer()]);
    try {
      for (let round = 0; round < 10; round += 1) {
        const report = await compareShop(shop);
        expect(report.checks.flatMap(({ listed }) => listed)).to.deep.equal([]);
        expect(report.agree).to.equal(true);
      }
    } finally {
      isOver = true;
      await buying;
    }
    await expectBooksAgree(shop);
  });

  it('judges anew what is cancelled after the order was read, and before the rest was', async () => {
    const { orderId } = await orderThatIs('confirmed');
    const report = await compareShop(shop, (books) => ({
      ...books,
      orders: {
        ...books.orders,
        async page(after, limit) {
          const orders = await books.orders.page(after, limit);
          await shop.orders.cancelOrder({ orderId });
          return orders;
        },
      },
    }));
    expect(report.checks.flatMap(({ listed }) => listed)).to.deep.equal([]);
    expect(report.agree).to.equal(true);
  });

  describe('finds in the tables of a real shop that', () => {
    for (const { what, of: fate, schema, sql, finds } of REAL_SPOILINGS) {
      it(what, async () => {
        const { orderId, lines } = await orderThatIs(fate);
        await isTold(orderId);
        const database = schema === 'ledger' ? ledger : shop.database(schema);
        await database.query({ name: `test.spoil ${what}`.slice(0, 63), text: sql }, [orderId]);
        const report = await compareShop(shop);
        const aboutIt = report.checks.flatMap(({ listed }) => listed).filter(({ id }) => id === orderId || id === lines[0]?.productId);
        expect([...new Set(aboutIt.map(({ kind }) => kind))]).to.have.members(finds);
        expect(report.agree).to.equal(false);
      });
    }

    it('a charge names no order', async () => {
      await ledger.query(
        {
          name: 'test.anonymous',
          text: `WITH intent AS (
                   INSERT INTO payment_intent (id, amount, currency, payment_method, metadata, created_at)
                   VALUES ('pi_nobody', 100, 'eur', 'pm_card_visa', '{}', now()) RETURNING id)
                 INSERT INTO ledger (kind, object_id, payment_intent_id, amount, currency, created_at)
                 SELECT 'capture', 'ch_nobody', id, 100, 'eur', now() FROM intent`,
        },
        [],
      );
      const unknown = (await compareShop(shop)).checks.find(({ check }) => check === 'unknown orders');
      expect(unknown?.listed).to.deep.include({ kind: 'unknown order', about: 'charge', id: 'ch_nobody', says: 'names no order', fails: true });
    });
  });

  describe('of a shop whose books differ', () => {
    it('fails, and says what differs and where', async () => {
      const { exitCode, stdout, stderr } = await meshHere(['doctor', 'books'], beside());
      expect({ exitCode, stderr }, stdout).to.deep.equal({ exitCode: 1, stderr: '' });
      expect(stdout).to.match(/^\d+ DIFFER +money +a confirmed order/m);
      expect(stdout).to.match(/^ {2}order \S+ is CONFIRMED for 25\.00 EUR and was never captured$/m);
      expect(stdout).to.match(/^ {2}product \S+ has 9 available \+ 0 reserved \+ 2 sold = 11, and 10 were received$/m);
      expect(stdout).to.match(/^ {2}charge ch_nobody names no order$/m);
    });

    it('shows people the first twenty, and programs all', async () => {
      for (let count = 0; count < 25; count += 1) await orderThatIs('confirmed');
      await ledger.query({ name: 'test.no_ledger', text: 'DELETE FROM ledger' }, []);
      const { stdout } = await meshHere(['doctor', 'books'], beside());
      const [, money = ''] = /^money differ:\n((?: {2}.*\n)+)/m.exec(stdout) ?? [];
      const lines = money.trimEnd().split('\n');
      expect(lines).to.have.length(21);
      const programs = await meshHere(['doctor', 'books', '--json'], beside());
      const { checks } = JSON.parse(programs.stdout) as { checks: { check: string; differences: number; listed: object[] }[] };
      const found = checks.find(({ check }) => check === 'money');
      expect(lines.at(-1)).to.equal(`  and ${(found?.differences ?? 0) - 20} more`);
      expect(found?.listed).to.have.length(found?.differences ?? 0);
    });
  });
});
