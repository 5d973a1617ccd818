import { expect } from 'chai';

import { connectConsul, type ConsulControlPlane } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { documentKey } from '../../../mesh/policy/document-key.ts';
import { createLivePolicies } from '../../../mesh/policy/live-policies.ts';
import { type ConsulServer, startEmbedded } from '../../discovery/support/consul-server.ts';
import { until } from '../../discovery/support/until.ts';

describe('live policies by the embedded agent', () => {
  let agent: ConsulServer;
  let controlPlane: ConsulControlPlane;
  beforeEach(async () => {
    agent = await startEmbedded();
    controlPlane = await connectConsul({ address: agent.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
  });
  afterEach(async () => {
    await controlPlane.stop();
    await agent.stop();
  });

  it('change while they are read, for a method, a service and all, and outlive the agent', async () => {
    const { policies: store } = controlPlane;
    const live = createLivePolicies({ store, settings: '', faultsAllowed: true, clock: systemClock, log: silentLog });
    await live.ready;
    const order = live.method('order', 'PlaceOrder');
    const put = (target: string, maxAttempts: number) => store.put(documentKey('policy', target), JSON.stringify({ owner: 'ada', retries: { maxAttempts } }));
    const reads = (maxAttempts: number) => until(`${maxAttempts} attempts`, () => order.current.retries.maxAttempts === maxAttempts);
    await put('*', 5);
    await reads(5);
    await put('order.PlaceOrder', 7);
    await reads(7);
    await store.delete(documentKey('policy', 'order.PlaceOrder'));
    await reads(5);
    await agent.kill();
    expect(order.current.retries.maxAttempts).to.equal(5);
    await live.stop();
  });
});
