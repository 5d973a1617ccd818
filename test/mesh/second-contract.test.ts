import { SpanKind } from '@opentelemetry/api';
import { expect } from 'chai';

import { type Handlers, implement } from '#mesh';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '#proto/grpc/health/v1/health_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { SagaService } from '#proto/shop/order/v1/saga_pb.js';

import { until } from '../discovery/support/until.ts';
import { callDirectly } from './support/direct.ts';
import { type Transport, useFleet } from './support/fleet.ts';
import { failureOf } from './support/outcome.ts';
import { openReflection, registryOf } from './support/reflection-client.ts';
import { useTracePropagation } from './support/telemetry.ts';

const ORDERS = OrderService.typeName;
const SAGAS = SagaService.typeName;

/** One saga is known, and nothing can be done to it. */
const sagaHandlers: Handlers<typeof SagaService> = {
  listSagas: async () => ({ sagas: [{ sagaId: 'saga-1' }] }),
  getSaga: async ({ sagaId }) => ({ saga: { sagaId } }),
  retrySaga: async () => ({}),
  resolveSaga: async () => ({}), skipSaga: async () => ({}),
};

for (const transport of ['local', 'remote'] satisfies Transport[]) {
  describe(`a second contract of a service, called over the ${transport} transport`, () => {
    useTracePropagation();
    const fleet = useFleet(transport);
    beforeEach(() =>
      fleet().host(OrderService, () => ({ getOrder: async ({ orderId }) => ({ order: { orderId } }) }), { further: [implement(SagaService, sagaHandlers)] }),
    );

    it('is answered beside the main one', async () => {
      const { saga } = await fleet().client(SagaService).getSaga({ sagaId: 'saga-1' });
      const { order } = await fleet().client(OrderService).getOrder({ orderId: 'o-1' });
      expect([saga?.sagaId, order?.orderId]).to.deep.equal(['saga-1', 'o-1']);
    });

    it('has its rules checked', async () => {
      const refused = await failureOf(fleet().client(SagaService).getSaga({ sagaId: 'No Saga' }));
      expect(refused.violations.map(({ field }) => field)).to.deep.equal(['saga_id']);
    });

    it('is traced under the service’s name', async () => {
      await fleet().client(SagaService).getSaga({ sagaId: 'saga-1' });
      await until('both spans have ended', () => fleet().telemetry.spans().length === 2);
      const server = fleet().telemetry.spans().find(({ kind }) => kind === SpanKind.SERVER);
      expect(server?.name).to.equal(`${SAGAS}/GetSaga`);
      expect(server?.resource.attributes['service.name']).to.equal('order');
    });
  });
}

describe('a second contract, to those who look from outside', () => {
  const fleet = useFleet('remote');

  it('is described by reflection', async () => {
    const { port } = await fleet().host(OrderService, () => ({}), { further: [implement(SagaService, sagaHandlers)] });
    const reflection = openReflection(port);
    const answer = await reflection.ask({ case: 'listServices', value: '' });
    const names = answer.case === 'listServicesResponse' ? answer.value.service.map(({ name }) => name) : [];
    const registry = registryOf(await reflection.ask({ case: 'fileContainingSymbol', value: SAGAS }));
    reflection.close();
    expect(names).to.include.members([ORDERS, SAGAS]);
    expect(registry.getService(SAGAS)?.methods).to.have.length(SagaService.methods.length);
  });

  it('is as healthy as the main one', async () => {
    let check = async (): Promise<void> => undefined;
    const { port } = await fleet().host(OrderService, () => ({}), { further: [implement(SagaService, sagaHandlers)], check: () => check() });
    const agent = callDirectly(port);
    const health = agent.client(Health);
    const statuses = async () => Object.entries((await health.list({})).statuses).map(([name, { status }]) => [name, status]);
    expect(await statuses()).to.have.deep.members(['', ORDERS, SAGAS].map((name) => [name, ServingStatus.SERVING]));
    check = () => Promise.reject(new Error('the database is gone'));
    await until('neither serves', async () => (await health.check({ service: SAGAS })).status === ServingStatus.NOT_SERVING);
    expect((await health.check({ service: ORDERS })).status).to.equal(ServingStatus.NOT_SERVING);
    await agent.stop();
  });
});
