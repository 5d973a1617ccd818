import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import type { FaultsInForce } from '#mesh';

import { watchDestinations } from '../../../mesh/instruments/destinations.ts';
import { until } from '../../discovery/support/until.ts';
import { failing, simulateCalls, type SimulatedCalls } from '../balancing/support/simulated-calls.ts';
import { failureOf } from '../support/outcome.ts';
import { useShop } from './support/measured-shop.ts';
import { createReadableMeter, type ReadableMeter, type Series } from './support/meter.ts';
import { policiesWith } from './support/policies.ts';

const TARGET = { 'grpc.target': 'inventory' };
const SERVICE = { 'mesh.service': 'order' };
/** Of the one port that the service has. */
const DOOR = { ...SERVICE, 'mesh.door': 'plaintext' };

const answered = async () => ({ order: { orderId: 'o-1' } });

describe('the instruments of a destination', () => {
  let meter: ReadableMeter;
  beforeEach(() => void (meter = createReadableMeter()));
  afterEach(() => meter.stop());

  function watched({ destination }: SimulatedCalls): void {
    watchDestinations(meter.meter).add(TARGET, () => ({ ...destination.read(), budget: { taken: 3, refused: 2 }, hedgesWon: 1 }));
  }

  it('have its instances by state, and how often one was left out', async () => {
    const simulated = simulateCalls();
    watched(simulated);
    simulated.list('a', 'b', 'c');
    const inState = (state: string, count: number): Series => [{ ...TARGET, 'mesh.instance.state': state }, count];
    expect(await meter.series('mesh.client.instances')).to.deep.include(inState('healthy', 3));
    simulated.calls(60, failing('a'));
    const states = await meter.series('mesh.client.instances');
    expect(states).to.have.deep.members([inState('healthy', 2), inState('slow-start', 0), inState('ejected', 1), inState('probing', 0)]);
    expect(await meter.series('grpc.lb.outlier_detection.ejections_enforced')).to.deep.equal([[TARGET, 1]]);
  });

  it('keep what was left out in the total when it leaves the registry', async () => {
    const simulated = simulateCalls();
    watched(simulated);
    simulated.list('a', 'b', 'c');
    simulated.calls(60, failing('a'));
    expect(await meter.series('grpc.lb.outlier_detection.ejections_enforced')).to.deep.equal([[TARGET, 1]]);
    simulated.list('b', 'c');
    expect(await meter.series('grpc.lb.outlier_detection.ejections_enforced')).to.deep.equal([[TARGET, 1]]);
  });

  it('have when its circuit is open, and what was refused then', async () => {
    const simulated = simulateCalls();
    watched(simulated);
    simulated.list('a');
    expect(await meter.series('mesh.circuit.open')).to.deep.equal([[TARGET, 0]]);
    simulated.calls(60, failing('a'));
    expect(await meter.series('mesh.circuit.open')).to.deep.equal([[TARGET, 1]]);
    expect(await meter.series('mesh.circuit.openings')).to.deep.equal([[TARGET, 1]]);
    const { circuitOpen } = simulated.destination.read().refused;
    expect(circuitOpen).to.be.above(0);
    expect(await meter.series('mesh.circuit.refused')).to.have.deep.members([
      [{ ...TARGET, 'mesh.error.reason': 'CIRCUIT_OPEN' }, circuitOpen],
      [{ ...TARGET, 'mesh.error.reason': 'TOO_MANY_CALLS' }, 0],
    ]);
  });

  it('have the attempts on their way, and those that the budget paid for or did not', async () => {
    const simulated = simulateCalls();
    watched(simulated);
    simulated.list('a');
    const started = simulated.start();
    expect(await meter.series('mesh.client.attempts_in_flight')).to.deep.equal([[TARGET, 1]]);
    if (!(started instanceof Error)) started.end({ code: status.OK });
    expect(await meter.series('mesh.client.attempts_in_flight')).to.deep.equal([[TARGET, 0]]);
    expect(await meter.series('mesh.retry_budget.spent')).to.deep.equal([[TARGET, 3]]);
    expect(await meter.series('mesh.retry_budget.refused')).to.deep.equal([[TARGET, 2]]);
    expect(await meter.series('mesh.hedges.won')).to.deep.equal([[TARGET, 1]]);
  });
});

describe('the instruments of a server', () => {
  const open = useShop();

  it('have what admission lets in, keeps waiting and sheds', async () => {
    const policies = policiesWith({ retries: { enabled: false }, admission: { minLimit: 1, initialLimit: 1, maxLimit: 1, maxQueued: 1, maxQueuedMs: 1_000 } });
    const held = Promise.withResolvers<void>();
    const { orders, service } = await open({ policies, handlers: { getOrder: () => held.promise.then(answered) } });
    const calls = [orders.getOrder({ orderId: 'o-1' }), orders.getOrder({ orderId: 'o-2' })];
    const one: readonly Series[] = [[SERVICE, 1]];
    await until('one call waits', async () => (await service.series('mesh.admission.queued'))[0]?.[1] === 1);
    expect(await service.series('mesh.admission.in_flight')).to.deep.equal(one);
    expect(await service.series('mesh.admission.limit')).to.deep.equal(one);
    expect(await service.series('mesh.server.open_calls')).to.deep.equal([[DOOR, 2]]);
    await failureOf(Promise.all([...calls, orders.getOrder({ orderId: 'o-3' })]));
    held.resolve();
    await Promise.allSettled(calls);
    expect(await service.series('mesh.admission.shed')).to.have.deep.members([
      [{ ...SERVICE, 'mesh.criticality': 'critical' }, 0],
      [{ ...SERVICE, 'mesh.criticality': 'default' }, 1],
      [{ ...SERVICE, 'mesh.criticality': 'sheddable' }, 0],
    ]);
    expect(await service.series('mesh.admission.admitted')).to.deep.equal([[SERVICE, 2]]);
    expect(await service.series('mesh.admission.expired')).to.deep.equal([[SERVICE, 0]]);
    expect(await service.series('mesh.admission.abandoned')).to.deep.equal([[SERVICE, 0]]);
  });

  it('have the calls that failed on purpose, by method', async () => {
    const fault = { percent: 100, delayMs: 0, abort: 'NOT_FOUND', untilMs: Infinity } as const;
    const faults: FaultsInForce = { of: (_service, method) => ({ current: method === 'GetOrder' ? [fault] : [] }), allowed: true, faultsOf: () => [] };
    const { orders, service } = await open({ faults, handlers: { getOrder: answered } });
    await failureOf(orders.getOrder({ orderId: 'o-1' }));
    const injected = (await service.series('mesh.faults.injected')).filter(([, count]) => count > 0);
    expect(injected).to.deep.equal([[{ 'grpc.method': 'shop.order.v1.OrderService/GetOrder' }, 1]]);
  });

  it('have the connections at the door, and a series for each limit', async () => {
    const { orders, service } = await open({ handlers: { getOrder: answered } });
    await orders.getOrder({ orderId: 'o-1' });
    expect(await service.series('mesh.door.connections')).to.deep.equal([[DOOR, 1]]);
    expect(await service.series('mesh.door.accepted')).to.deep.equal([[DOOR, 1]]);
    const refused = await service.series('mesh.door.refused');
    expect(refused).to.deep.include([{ ...DOOR, 'mesh.door.limit': 'ping-flood' }, 0]);
    expect(refused.map(([{ 'mesh.door.limit': limit }]) => limit)).to.include('metadata-too-large').and.not.include('connections');
  });

  it('have a server that drains, and what its stop broke off', async () => {
    const began = Promise.withResolvers<void>();
    const { orders, caller, service, listening } = await open({
      handlers: {
        async *watchOrder(_request, { signal }) {
          began.resolve();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          yield { sequence: 1n };
        },
      },
    });
    const next = failureOf(orders.watchOrder({ orderId: 'o-1' }, { deadlineMs: 60_000 })[Symbol.asyncIterator]().next());
    await began.promise;
    expect(await service.series('mesh.server.draining')).to.deep.equal([[DOOR, 0]]);
    listening.drain();
    expect(await service.series('mesh.server.draining')).to.deep.equal([[DOOR, 1]]);
    expect(await service.series('mesh.server.open_calls')).to.deep.equal([[DOOR, 1]]);
    await listening.stop();
    await next;
    const method = { 'grpc.method': 'shop.order.v1.OrderService/WatchOrder' };
    expect(await service.series('grpc.server.call.duration')).to.deep.equal([[{ ...method, 'grpc.status': 'UNAVAILABLE' }, 1]]);
    const [attempt] = await caller.series('grpc.client.attempt.duration');
    expect(attempt?.[0]).to.include({ 'grpc.status': 'UNAVAILABLE' });
  });
});
