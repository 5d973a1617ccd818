import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Channel, credentials } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { type Child, spawnChild } from '../../cli/local/child.ts';
import { silentLog, systemClock } from '#kit';
import { createMesh } from '#mesh';
import { OrderService, OrderState } from '#proto/shop/order/v1/order_pb.js';

import { finalOrder, moneyOf, newProduct, newUser, requestFor, stockOf } from './orders.ts';
import { type Shop, startShop } from './shop-fixture.ts';

describe('a second instance of order', function () {
  this.timeout(90_000);
  let shop: Shop;
  let second: Child;
  const folder = mkdtempSync(join(tmpdir(), 'shopmesh-second-'));
  const killFile = join(folder, 'point');
  before(async () => {
    shop = await startShop({ topology: 'micro' });
  });
  after(async () => {
    await second?.stop();
    await shop?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is killed in the middle of an order, and the first one brings the order to its end', async () => {
    second = spawnChild({
      name: 'order-2',
      services: ['order'],
      logFolder: folder,
      stopTimeoutMs: 5_000,
      environment: { ...process.env, ...shop.environment, KILL_FILE: killFile },
      launcher: join(import.meta.dirname, 'killable.ts'),
    });
    const [served] = await second.start(shop.environment);
    expect(served?.port).to.be.above(0);
    const openChannel = () => new Channel(`127.0.0.1:${served?.port}`, credentials.createInsecure(), {});
    const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
    const direct = mesh.client(OrderService, { tracer: trace.getTracer('test') });
    const [userId, productId] = [await newUser(shop), await newProduct(shop, 10n)];
    writeFileSync(killFile, 'after step charge');
    await direct.placeOrder(requestFor(userId, productId)).catch(() => undefined);
    await second.exited;
    await mesh.stop();
    const { orders } = await shop.orders.listOrders({ userId });
    const order = await finalOrder(shop, orders[0]?.orderId ?? '', 30_000);
    expect(order.state).to.equal(OrderState.CONFIRMED);
    expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 2500n });
    expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
  });
});
