import { expect } from 'chai';

import { MeshError } from '#kit';
import { describeMethod } from '#mesh';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { LATENCY_BUCKETS } from '../../../mesh/instruments/durations.ts';
import { until } from '../../discovery/support/until.ts';
import { callDirectly } from '../support/direct.ts';
import { allOf, failureOf } from '../support/outcome.ts';
import { createTelemetry } from '../support/telemetry.ts';
import { type Transport, useShop } from './support/measured-shop.ts';
import { policiesWith } from './support/policies.ts';

const SERVED = { 'grpc.method': 'shop.order.v1.OrderService/GetOrder' };
const CALLED = { ...SERVED, 'grpc.target': 'order' };

const answered = async () => ({ order: { orderId: 'o-1' } });
const unavailable = (): MeshError => new MeshError('UNAVAILABLE', 'UNREACHABLE', 'not now');

/** Fails so many calls, and answers from then on. */
function failing(times: number): typeof answered {
  let left = times;
  return () => ((left -= 1) >= 0 ? Promise.reject(unavailable()) : answered());
}

for (const transport of ['local', 'remote'] satisfies Transport[]) {
  describe(`the instruments of calls over the ${transport} transport`, () => {
    const open = useShop();

    it('have a call that was answered once as a call, an attempt, and a call served', async () => {
      const { orders, caller, service } = await open({ transport, handlers: { getOrder: answered } });
      await orders.getOrder({ orderId: 'o-1' });
      expect(await caller.series('grpc.client.attempt.started')).to.deep.include([CALLED, 1]);
      expect(await caller.series('grpc.client.attempt.duration')).to.deep.equal([[{ ...CALLED, 'grpc.status': 'OK' }, 1]]);
      expect(await caller.series('grpc.client.call.duration')).to.deep.equal([[{ ...CALLED, 'grpc.status': 'OK' }, 1]]);
      expect(await service.series('grpc.server.call.started')).to.deep.include([SERVED, 1]);
      expect(await service.series('grpc.server.call.duration')).to.deep.equal([[{ ...SERVED, 'grpc.status': 'OK' }, 1]]);
    });

    it('have a series for each status', async () => {
      const { orders, caller, service } = await open({ transport, handlers: { getOrder: () => Promise.reject(new MeshError('NOT_FOUND', 'ORDER_NOT_FOUND', 'no')) } });
      await failureOf(orders.getOrder({ orderId: 'o-1' }));
      await failureOf(orders.getOrder({ orderId: 'No Order' }));
      const statuses = (base: object) => ['NOT_FOUND', 'INVALID_ARGUMENT'].map((status) => [{ ...base, 'grpc.status': status }, 1]);
      expect(await caller.series('grpc.client.call.duration')).to.have.deep.members(statuses(CALLED));
      expect(await service.series('grpc.server.call.duration')).to.have.deep.members(statuses(SERVED));
    });

    it('have three attempts of a call that was retried twice, the retries, and how long it paused', async () => {
      const { orders, caller, service } = await open({ transport, handlers: { getOrder: failing(2) } });
      await orders.getOrder({ orderId: 'o-1' });
      expect(await caller.series('grpc.client.attempt.started')).to.deep.include([CALLED, 3]);
      expect(await caller.series('grpc.client.attempt.duration')).to.have.deep.members([
        [{ ...CALLED, 'grpc.status': 'UNAVAILABLE' }, 2],
        [{ ...CALLED, 'grpc.status': 'OK' }, 1],
      ]);
      expect(await caller.series('grpc.client.call.duration')).to.deep.equal([[{ ...CALLED, 'grpc.status': 'OK' }, 1]]);
      expect(await caller.histogram('grpc.client.call.retries')).to.include({ count: 1, sum: 2 });
      const [call, delay] = [await caller.histogram('grpc.client.call.duration'), await caller.histogram('grpc.client.call.retry_delay')];
      expect(delay.count).to.equal(1);
      expect(delay.sum).to.be.within(0, call.sum ?? 0);
      expect(await caller.series('grpc.client.call.hedges')).to.deep.equal([]);
      expect(await service.series('grpc.server.call.started')).to.deep.include([SERVED, 3]);
      expect(await caller.series('mesh.retry_budget.spent')).to.deep.equal([[{ 'grpc.target': 'order' }, 2]]);
    });

    it('have a stream when it is over, not when it begins', async () => {
      const { orders, caller, service } = await open({
        transport,
        handlers: {
          async *watchOrder() {
            yield { sequence: 1n };
            yield { sequence: 2n };
          },
        },
      });
      const stream = orders.watchOrder({ orderId: 'o-1' })[Symbol.asyncIterator]();
      await stream.next();
      expect(await caller.series('grpc.client.call.duration')).to.deep.equal([]);
      await allOf({ [Symbol.asyncIterator]: () => stream });
      const status = { 'grpc.method': 'shop.order.v1.OrderService/WatchOrder', 'grpc.status': 'OK' };
      expect(await caller.series('grpc.client.call.duration')).to.deep.equal([[{ ...status, 'grpc.target': 'order' }, 1]]);
      expect(await service.series('grpc.server.call.duration')).to.deep.equal([[status, 1]]);
    });

    it('have a call without an attempt when it was refused before one', async () => {
      const { orders, caller } = await open({ transport, handlers: { getOrder: answered } });
      await failureOf(orders.getOrder({ orderId: 'o-1' }, { deadlineMs: -1 }));
      expect(await caller.series('grpc.client.call.duration')).to.deep.equal([[{ ...CALLED, 'grpc.status': 'DEADLINE_EXCEEDED' }, 1]]);
      expect(await caller.series('grpc.client.attempt.started')).to.deep.include([CALLED, 0]);
    });

    it('share their series among all callers of a process', async () => {
      const shop = await open({ transport, handlers: { getOrder: answered } });
      const [calling] = shop.meshes;
      const other = calling?.client(OrderService, { service: '', tracer: createTelemetry().tracer('other') });
      await shop.orders.getOrder({ orderId: 'o-1' });
      await other?.getOrder({ orderId: 'o-1' });
      expect(await shop.caller.series('grpc.client.attempt.started')).to.deep.include([CALLED, 2]);
      expect(await shop.caller.series('grpc.client.call.duration')).to.deep.equal([[{ ...CALLED, 'grpc.status': 'OK' }, 2]]);
    });
  });
}

describe('the instruments of calls', () => {
  const open = useShop();

  it('have gRPC’s units, and its buckets for durations', async () => {
    const { orders, caller } = await open({ transport: 'local', handlers: { getOrder: failing(1) } });
    await orders.getOrder({ orderId: 'o-1' });
    const found = await caller.collect();
    const units = [...found.values()].filter(({ descriptor: { name } }) => name.startsWith('grpc.')).map(({ descriptor: { name, unit } }) => [name, unit]);
    expect(Object.fromEntries(units)).to.deep.equal({
      'grpc.client.attempt.started': '{attempt}',
      'grpc.client.attempt.duration': 's',
      'grpc.client.call.duration': 's',
      'grpc.client.call.retries': '{retry}',
      'grpc.client.call.retry_delay': 's',
      'grpc.server.call.started': '{call}',
      'grpc.server.call.duration': 's',
      'grpc.lb.outlier_detection.ejections_enforced': '{ejection}',
    });
    for (const name of ['grpc.client.call.duration', 'grpc.client.call.retry_delay']) {
      expect((await caller.histogram(name)).buckets.boundaries, name).to.deep.equal(LATENCY_BUCKETS);
    }
    expect((await caller.histogram('grpc.client.call.retries')).buckets.boundaries).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('have a hedge as one, not as a retry, and the attempt that lost as CANCELLED', async () => {
    const slow = Promise.withResolvers<void>();
    let calls = 0;
    const getOrder = async () => {
      calls += 1;
      if (calls === 101) await slow.promise;
      return answered();
    };
    const { orders, caller } = await open({ instances: 2, handlers: { getOrder } });
    while (calls < 100) await orders.getOrder({ orderId: 'o-1' });
    await orders.getOrder({ orderId: 'o-1' });
    slow.resolve();
    expect(await caller.histogram('grpc.client.call.hedges')).to.include({ count: 1, sum: 1 });
    expect(await caller.series('grpc.client.call.retries')).to.deep.equal([]);
    await until('the attempt that lost has ended', async () => (await caller.series('grpc.client.attempt.duration')).length === 2);
    expect(await caller.series('grpc.client.attempt.duration')).to.have.deep.members([
      [{ ...CALLED, 'grpc.status': 'OK' }, 101],
      [{ ...CALLED, 'grpc.status': 'CANCELLED' }, 1],
    ]);
    expect(await caller.series('mesh.hedges.won')).to.deep.equal([[{ 'grpc.target': 'order' }, 1]]);
  });

  it('leave out what is asked of a server by nobody’s order', async () => {
    const { listening, service } = await open({ handlers: { getOrder: answered } });
    const outside = callDirectly(listening.port);
    await outside.client(Health).check({ service: '' });
    await outside.stop();
    const methods = (await service.series('grpc.server.call.started')).map(([{ 'grpc.method': method }]) => String(method));
    expect(methods).to.deep.equal(OrderService.methods.map((desc) => describeMethod(desc).fullName));
    expect(await service.series('grpc.server.call.duration')).to.deep.equal([]);
  });

  it('count each attempt that the server shed, and the retries that follow', async () => {
    const policies = policiesWith({ admission: { minLimit: 1, initialLimit: 1, maxLimit: 1, maxQueued: 0 }, retries: { maxAttempts: 2 } });
    const held = Promise.withResolvers<void>();
    const { orders, caller, service } = await open({ policies, handlers: { getOrder: () => held.promise.then(answered) } });
    const first = orders.getOrder({ orderId: 'o-1' });
    await failureOf(orders.getOrder({ orderId: 'o-1' }));
    held.resolve();
    await first;
    const shed = (await caller.series('grpc.client.attempt.duration')).find(([{ 'grpc.status': status }]) => status === 'RESOURCE_EXHAUSTED');
    expect(shed?.[1]).to.equal(2);
    expect(await service.series('grpc.server.call.duration')).to.deep.include([{ ...SERVED, 'grpc.status': 'RESOURCE_EXHAUSTED' }, 2]);
    expect(await service.series('mesh.admission.shed')).to.deep.include([{ 'mesh.service': 'order', 'mesh.criticality': 'default' }, 2]);
  });
});
