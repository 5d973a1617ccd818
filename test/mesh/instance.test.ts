import { timestampMs } from '@bufbuild/protobuf/wkt';
import { expect } from 'chai';

import { refusal } from '#kit';
import { implement } from '#mesh';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { type GetInstanceResponse, InstanceService } from '#proto/mesh/v1/instance_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { SagaService } from '#proto/shop/order/v1/saga_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../discovery/support/until.ts';
import { callDirectly, type DirectCaller } from './support/direct.ts';
import { type Transport, useFleet } from './support/fleet.ts';
import { allOf, failureOf } from './support/outcome.ts';

const GET_ORDER = 'shop.order.v1.OrderService/GetOrder';
const WATCH_ORDER = 'shop.order.v1.OrderService/WatchOrder';

for (const transport of ['local', 'remote'] satisfies Transport[]) {
  describe(`what an instance says of itself, called over the ${transport} transport`, () => {
    let outside: DirectCaller;
    afterEach(() => outside.stop());
    const fleet = useFleet(transport);

    beforeEach(async () => {
      const sagas = { listSagas: async () => ({}), getSaga: async () => ({}), retrySaga: async () => ({}), resolveSaga: async () => ({}), skipSaga: async () => ({}) };
      const { port } = await fleet().host(
        OrderService,
        () => ({
          async getOrder({ orderId }) {
            if (orderId === 'o-404') throw refusal('ORDER_NOT_FOUND', 'there is no such order');
            if (orderId === 'o-500') throw new TypeError('a bug');
            return {};
          },
          async *watchOrder() {
            for (;;) yield {};
          },
        }),
        { further: [implement(SagaService, sagas)], instance: { id: 'order-1', version: '1.2.3' } },
      );
      outside = callDirectly(port);
    });

    const instance = (): Promise<GetInstanceResponse> => outside.client(InstanceService).getInstance({});
    const countsOf = ({ methods }: GetInstanceResponse) => Object.fromEntries(methods.map(({ method, calls, errors }) => [method, [Number(calls), Number(errors)]]));
    const counts = async () => countsOf(await instance());

    it('is its name, its version and the process it runs in', async () => {
      const said = await instance();
      expect(said).to.include({ instanceId: 'order-1', service: 'order', version: '1.2.3', processId: BigInt(process.pid) });
      expect(said.startTime && timestampMs(said.startTime)).to.be.closeTo(performance.timeOrigin, 1);
      expect(Number(said.memoryBytes)).to.be.within(2 ** 20, 2 ** 33);
    });

    it('counts the calls of each method that was called, of every contract', async () => {
      expect(await counts()).to.deep.equal({});
      for (const orderId of ['o-1', 'o-2']) await fleet().client(OrderService).getOrder({ orderId });
      await fleet().client(SagaService).listSagas({});
      expect(await counts()).to.deep.equal({ [GET_ORDER]: [2, 0], 'shop.order.v1.SagaService/ListSagas': [1, 0] });
    });

    it('tells faults of the service from answers that say no', async () => {
      const orders = fleet().client(OrderService);
      await failureOf(orders.getOrder({ orderId: 'o-404' }));
      await failureOf(orders.getOrder({ orderId: 'Not an id' }));
      expect(await counts()).to.deep.equal({ [GET_ORDER]: [2, 0] });
      await failureOf(orders.getOrder({ orderId: 'o-500' }));
      expect(await counts()).to.deep.equal({ [GET_ORDER]: [3, 1] });
    });

    it('counts a stream when it ends', async () => {
      const changes = fleet().client(OrderService).watchOrder({ orderId: 'o-1' })[Symbol.asyncIterator]();
      await changes.next();
      expect(await counts()).to.deep.equal({});
      await changes.return?.();
      // A reader that stops is no fault.
      await until('it is counted', async () => JSON.stringify(await counts()) === JSON.stringify({ [WATCH_ORDER]: [1, 0] }));
    });

    it('has rates', async () => {
      for (const orderId of ['o-1', 'o-500', 'o-2', 'o-3']) await fleet().client(OrderService).getOrder({ orderId }).catch(() => undefined);
      const [getOrder] = (await instance()).methods;
      expect(getOrder).to.include({ method: GET_ORDER, callsPerSecond: 0.4, errorsPerSecond: 0.1 });
    });

    it('leaves no span and counts neither itself nor health', async () => {
      await outside.client(Health).check({});
      await allOf(outside.client(Health).watch({ service: 'nobody' }, { deadlineMs: 50 })).catch(() => undefined);
      await instance();
      expect(await counts()).to.deep.equal({});
      expect(fleet().telemetry.spans()).to.deep.equal([]);
    });
  });
}

describe('services that share a process', () => {
  const fleet = useFleet('local');

  it('are instances of their own, each with its own calls', async () => {
    const [orders, users] = await Promise.all([
      fleet().host(OrderService, () => ({ getOrder: async () => ({}) }), { instance: { id: 'order-1', version: '1' } }),
      fleet().host(UserService, () => ({}), { instance: { id: 'user-1', version: '1' } }),
    ]);
    await fleet().client(OrderService).getOrder({ orderId: 'o-1' });
    const said = [];
    for (const { port } of [orders, users]) {
      const outside = callDirectly(port);
      said.push(await outside.client(InstanceService).getInstance({}));
      await outside.stop();
    }
    expect(said.map(({ instanceId, service, methods }) => [instanceId, service, methods.length])).to.deep.equal([
      ['order-1', 'order', 1],
      ['user-1', 'user', 0],
    ]);
  });
});
