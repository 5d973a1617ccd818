import { getEventListeners } from 'node:events';

import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { type Clock, systemClock, systemRandom } from '#kit';
import type { CallContext } from '#mesh';
import { CancelOrderRequestSchema, OrderState } from '#proto/shop/order/v1/order_pb.js';

import { orderHandlers } from '../../services/order/handlers.ts';
import { orderOf } from '../../services/order/store.ts';
import { until } from '../database/until.ts';
import { type OrdersFixture, startOrders } from './order-fixture.ts';

describe('an answer that waits for an order', () => {
  let orders: OrdersFixture;
  before(async function () {
    this.timeout(20_000);
    orders = await startOrders();
  });
  after(() => orders?.stop());

  // A cancellation that another call has begun comes to none of these.
  const unused = undefined as never;

  /** CancelOrder of one that stays on its way, as long as its caller wants it and for `forMs` at most. */
  async function cancelled(forMs: number) {
    const wanted = new AbortController();
    const watched: AbortSignal[] = [];
    const slept: number[] = [];
    const clock: Clock = {
      now: () => 1_000,
      sleep(ms, signal) {
        slept.push(ms);
        return systemClock.sleep(ms, signal);
      },
    };
    const watcher = {
      watch: unused,
      stop: unused,
      untilAtRest: (_orderId: string, signal: AbortSignal) => {
        watched.push(signal);
        return new Promise<void>(() => {});
      },
    };
    const { cancelOrder } = orderHandlers({
      database: orders.database,
      watcher,
      readOrder: (orderId) => orderOf(orders.database, orderId),
      clock,
      random: systemRandom,
      ...{ users: unused, products: unused, sagas: unused, placeOrderSaga: unused, cancelOrderSaga: unused, writeOrder: unused },
    });
    const request = create(CancelOrderRequestSchema, { orderId: await orders.orderThatIs('CANCELLING') });
    // What the handler reads of it.
    const call = { deadline: clock.now() + forMs, signal: wanted.signal } as CallContext;
    return { wanted, watched, slept, answer: Promise.resolve(cancelOrder(request, call)) };
  }

  it('leaves a quarter of a second before the deadline, with the order as it is then', async () => {
    const { answer, watched, wanted, slept } = await cancelled(400);
    expect((await answer).order?.state).to.equal(OrderState.CANCELLING);
    expect(slept).to.deep.equal([150]);
    expect([watched.map(({ aborted }) => aborted), getEventListeners(wanted.signal, 'abort')]).to.deep.equal([[true], []]);
  });

  it('is not waited for when the caller goes away', async () => {
    const { answer, watched, wanted } = await cancelled(60_000);
    await until('the order is watched', () => watched.length === 1);
    wanted.abort(new Error('the caller went away'));
    await answer;
    expect(watched.map(({ aborted }) => aborted)).to.deep.equal([true]);
  });

  it('is not waited for when the caller went away before', async () => {
    const { answer, wanted } = await cancelled(60_000);
    wanted.abort(new Error('the caller went away'));
    await answer;
  });
});
