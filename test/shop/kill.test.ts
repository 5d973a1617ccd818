import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';

import { finalOrder, moneyOf, newProduct, newUser, requestFor, stockOf, until } from './orders.ts';
import { type Shop, startShop } from './shop-fixture.ts';

/** Where a process dies, by the process that does; each point is reached once on the way of an order. */
const POINTS = {
  order: [
    'before commit order.place',
    'after commit order.place',
    'before step reserve',
    'send Reserve',
    'receive Reserve',
    'after step reserve',
    'send Charge',
    'receive Charge',
    'after step charge',
    'send Commit',
    'receive Commit',
    'after step confirm',
    'before commit saga.place-order.finish',
    'after commit saga.place-order.finish',
    'answer PlaceOrder',
  ],
  inventory: ['serve Reserve', 'before commit inventory.reserve', 'after commit inventory.reserve', 'answer Commit'],
  payment: ['serve Charge', 'answer Charge'],
  user: ['answer GetUser'],
} as const;

const COMPENSATION_POINTS = ['send Release', 'receive Release', 'before step reserve'] as const;

/** Lease (1 s), restart and start of the process, each with room to spare on a busy machine. */
const FINAL_WITHIN_MS = 45_000;

describe('an order whose process is killed with kill -9', function () {
  this.timeout(120_000);
  let shop: Shop;
  const folder = mkdtempSync(join(tmpdir(), 'shopmesh-kill-'));
  const killFile = join(folder, 'point');
  before(async () => {
    shop = await startShop({ topology: 'micro', launcher: join(import.meta.dirname, 'killable.ts'), settings: { KILL_FILE: killFile } });
  });
  after(async () => {
    await shop?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Places an order while a process is set to die at `point`, sends it again until it is final, and returns it. */
  async function placeThrough(point: string, paymentMethod: string): Promise<{ order: Order; productId: string }> {
    const productId = await newProduct(shop, 10n);
    const request = requestFor(await newUser(shop), productId, { paymentMethod });
    writeFileSync(killFile, point);
    // What a client does that got no answer: the same request again.
    const order = await until('the order is placed', FINAL_WITHIN_MS, async () => (await shop.orders.placeOrder(request)).order);
    expect(existsSync(killFile), `a process died at "${point}"`).to.equal(false);
    return { order: await finalOrder(shop, order.orderId, FINAL_WITHIN_MS), productId };
  }

  for (const [process, points] of Object.entries(POINTS)) {
    for (const point of points) {
      it(`is confirmed with one capture when ${process} dies at "${point}"`, async () => {
        const { order, productId } = await placeThrough(point, 'pm_card_visa');
        expect(order.state).to.equal(OrderState.CONFIRMED);
        expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 2500n });
        expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
        expect((await shop.orders.listOrders({ userId: order.userId })).orders).to.have.length(1);
      });
    }
  }

  for (const point of COMPENSATION_POINTS) {
    it(`is compensated in full when order dies at "${point}" with a declined card`, async () => {
      const { order, productId } = await placeThrough(point, 'pm_card_chargeDeclined');
      expect(order).to.deep.include({ state: OrderState.FAILED, reason: 'CARD_DECLINED' });
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 0, net: 0n });
      expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
    });
  }
});
