import { randomUUID } from 'node:crypto';

import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { MeshError, systemClock } from '#kit';

import { createOrderReader } from '../../services/order/order-reader.ts';
import { findOrders, insertOrders } from '../../services/order/store.ts';
import { planOf } from '../database/plan-of.ts';
import { orderOf, type OrdersFixture, startOrders } from './order-fixture.ts';

describe('orders that are read at the same moment', () => {
  let orders: OrdersFixture;
  let statements: string[] = [];

  before(async function () {
    this.timeout(20_000);
    orders = await startOrders({ afterCommit: (name) => void statements.push(name) });
  });
  after(() => orders?.stop());

  it('are found by their primary key, also when that was planned while the table was empty', async () => {
    const finding = (): Promise<string> => planOf(orders.url, (db) => findOrders(db, ['order-1']));
    expect(await finding()).to.include('Index Scan using orders_pkey').and.not.include('Seq Scan');
    const many = Array.from({ length: 1_000 }, () => orderOf(randomUUID()));
    await orders.database.transaction('test.many', (tx) => insertOrders(tx, many));
    await orders.run('ANALYZE orders');
    expect(await finding()).to.include('Index Scan using orders_pkey').and.not.include('Seq Scan');
  });

  it('come in one statement, each to whoever asked for it; one that is not there is nobody else\'s trouble', async () => {
    const read = createOrderReader({ database: orders.database, tracer: trace.getTracer('test'), clock: systemClock });
    const [pending, failed] = [await orders.orderThatIs('PENDING'), await orders.orderThatIs('FAILED')];
    statements = [];
    const results = await Promise.allSettled([pending, failed, 'nobody-s', pending].map(read));
    expect(statements).to.deep.equal(['order.find']);
    expect(results.map((one) => (one.status === 'fulfilled' ? one.value.state : MeshError.from(one.reason).reason))).to.deep.equal(['PENDING', 'FAILED', 'ORDER_NOT_FOUND', 'PENDING']);
  });

  it('are as they are when they are asked for, also while others are being read', async () => {
    const read = createOrderReader({ database: orders.database, tracer: trace.getTracer('test'), clock: systemClock });
    const orderId = await orders.orderThatIs('PENDING');
    const before = read(orderId);
    await orders.run(`UPDATE orders SET state = 'CONFIRMED' WHERE order_id = $1`, orderId);
    expect((await read(orderId)).state).to.equal('CONFIRMED');
    expect((await before).orderId).to.equal(orderId);
  });
});
