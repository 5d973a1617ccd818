import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Channel } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { type Child, spawnChild } from '../../cli/local/child.ts';
import type { Served } from '../../cli/serving/serve.ts';
import { createLifecycle, silentLog, systemClock } from '#kit';
import { type Client, createMesh, meshCredentials } from '#mesh';
import { OrderService, OrderState } from '#proto/shop/order/v1/order_pb.js';

import { expectBooksAgree } from './books-agree.ts';
import { armFault } from './faults/fault.ts';
import { FAULTY } from './faults/faulty-shop.ts';
import { finalOrder, moneyOf, newProduct, newUser, place, requestFor, stockOf } from './orders.ts';
import { signedIn, stubOf } from './shop-callers.ts';
import type { Shop } from './shop-fixture.ts';

/** What a second instance of order, which it starts and kills, changes for nobody. The books must hold no other direct calls yet. */
export function describeTwoInstances(shopOf: () => Shop): void {
  describe('two instances of order', function () {
    this.timeout(90_000);
    let shop: Shop;
    let second: Child;
    /** A stub of each instance, past the balancing. */
    let instances: Client<typeof OrderService>[];
    const folder = mkdtempSync(join(tmpdir(), 'shopmesh-second-'));
    const lifecycle = createLifecycle(silentLog);
    before(async () => {
      lifecycle.onStop('folder', () => rmSync(folder, { recursive: true, force: true }));
      shop = shopOf();
      second = spawnChild({
        name: 'order-2',
        services: ['order'],
        logFolder: folder,
        stopTimeoutMs: 5_000,
        environment: { ...process.env, ...shop.environment, FAULT_DIR: folder },
        launcher: FAULTY,
      });
      lifecycle.onStop('second instance', () => second.stop());
      const served = [...(await second.start(shop.environment)), ...shop.supervisor.services].filter(({ name }) => name === 'order');
      instances = served.map(stubTo);
    });
    after(() => lifecycle.stop());

    function stubTo({ address, mtlsPort }: Served): Client<typeof OrderService> {
      const openChannel = () => new Channel(`${address}:${mtlsPort}`, meshCredentials(shop.identity, 'order'), { 'grpc.ssl_target_name_override': 'order' });
      const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, outgoing: [signedIn(shop.tokenOf)] });
      lifecycle.onStop('channel', mesh.stop);
      return stubOf(OrderService, mesh, trace.getTracer('test'));
    }

    /** Reads an order's changes until it is CANCELLED, at one instance after the other: breaking off after every change, or reading each stream to its end. */
    async function readOn(orderId: string, breakOff: boolean, given: AbortSignal): Promise<[bigint, OrderState][]> {
      const seen: [bigint, OrderState][] = [];
      for (let turn = 0; seen.at(-1)?.[1] !== OrderState.CANCELLED; turn += 1) {
        given.throwIfAborted();
        // The stream may end at CONFIRMED, where the order was at rest: a reader then begins again.
        for await (const { sequence, state } of instances[turn % instances.length]?.watchOrder({ orderId, afterSequence: seen.at(-1)?.[0] ?? 0n }) ?? []) {
          seen.push([sequence, state]);
          if (breakOff) break;
        }
      }
      return seen;
    }

    for (const [what, breakOff] of [['breaks off after every change', true], ['reads to the end', false]] as const) {
      it(`let a watcher that ${what} go on at the other one, without a gap or a repeat`, async () => {
        const [userId, productId] = [await newUser(shop), await newProduct(shop, 100n)];
        for (let round = 0; round < 5; round += 1) {
          const { orderId } = await place(shop, requestFor(userId, productId));
          const failed = new AbortController();
          // Meanwhile the order goes on, on whichever instance.
          const cancelling = shop.orders.cancelOrder({ orderId }).catch((thrown: unknown) => failed.abort(thrown));
          expect(await readOn(orderId, breakOff, failed.signal)).to.deep.equal([
            [1n, OrderState.PENDING],
            [2n, OrderState.CONFIRMED],
            [3n, OrderState.CANCELLING],
            [4n, OrderState.CANCELLED],
          ]);
          await cancelling;
        }
      });
    }

    it('bring an order to its end when one of them is killed in the middle of it', async () => {
      const [userId, productId] = [await newUser(shop), await newProduct(shop, 10n)];
      armFault(folder, { point: 'after step charge', action: { kind: 'kill' } });
      await instances[0]?.placeOrder(requestFor(userId, productId)).catch(() => undefined);
      await second.exited;
      const { orders } = await shop.orders.listOrders({ userId });
      const order = await finalOrder(shop, orders[0]?.orderId ?? '', 30_000);
      expect(order.state).to.equal(OrderState.CONFIRMED);
      expect(await moneyOf(shop, order.orderId)).to.deep.equal({ captures: 1, net: 2500n });
      expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
    });

    it('end with books that agree', () => expectBooksAgree(shop));
  });
}
