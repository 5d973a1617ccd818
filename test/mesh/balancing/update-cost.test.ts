import { type ChannelOptions, connectivityState, experimental } from '@grpc/grpc-js';
import { expect } from 'chai';

import type { Instance, InstanceEndpoint } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { balancingOptions } from '../../../mesh/client/balancing/balancing-options.ts';
import { createDestination } from '../../../mesh/client/balancing/destination.ts';
import { LeastRequestConfig, LeastRequestPolicy } from '../../../mesh/client/balancing/least-request-policy.ts';
import { instance } from '../../discovery/support/instances.ts';
import { policyWith } from './support/simulated-calls.ts';

/** What grpc-js gives a policy, without a network: counts the connections that are asked for and let go. */
function countingHelper() {
  const count = { made: 0, released: 0, told: 0 };
  const idle = {
    getConnectivityState: () => connectivityState.IDLE,
    unref: () => (count.released += 1),
    ...{ ref: () => {}, startConnecting: () => {}, getAddress: () => '', getChannelzRef: () => ({}) },
    ...{ addConnectivityStateListener: () => {}, removeConnectivityStateListener: () => {} },
  };
  const helper = {
    createSubchannel: () => {
      count.made += 1;
      return idle;
    },
    updateState: () => (count.told += 1),
    ...{ requestReresolution: () => {}, addChannelzChild: () => {}, removeChannelzChild: () => {} },
  };
  // A leaf uses nothing else of a subchannel that stays idle.
  return { count, helper: helper as unknown as experimental.ChannelControlHelper };
}

function policyOf(service: string) {
  const { count, helper } = countingHelper();
  const policy = { current: policyWith({ balancing: { connectionsPerInstance: 2 } }) };
  const destination = createDestination(service, { policy, clock: systemClock, random: systemRandom, zone: '', log: silentLog });
  const options: ChannelOptions = balancingOptions(destination);
  const balancer = new LeastRequestPolicy(helper);
  return {
    count,
    policy,
    set(instances: readonly Instance[]): void {
      const endpoints = instances.map((one): InstanceEndpoint => ({ addresses: [{ host: one.address, port: one.port }], instance: one }));
      balancer.updateAddressList(experimental.statusOrFromValue<experimental.Endpoint[]>(endpoints), new LeastRequestConfig(), options);
    },
    destroy: () => balancer.destroy(),
  };
}

const instances = Array.from({ length: 10 }, (_, position) => instance(`i${position}`, { port: 1 + position }));

describe('an update of the list of instances', () => {
  it('touches the connections of those that it changes, and no other', () => {
    const { count, set, destroy } = policyOf('inventory');
    set(instances);
    expect(count).to.deep.include({ made: 20, released: 0 });
    for (let update = 0; update < 100; update += 1) set(instances.map((one) => ({ ...one, weight: 1 + update })));
    expect(count).to.deep.include({ made: 20, released: 0 });
    set([...instances.slice(1), instance('new', { port: 99 })]);
    expect(count).to.deep.include({ made: 22, released: 2 });
    destroy();
    expect(count.released).to.equal(22);
  });

  it('brings the number of connections that an operator wants now', () => {
    const { count, policy, set, destroy } = policyOf('inventory');
    set(instances);
    policy.current = policyWith({ balancing: { connectionsPerInstance: 3 } });
    set(instances);
    expect(count).to.deep.include({ made: 30, released: 0 });
    policy.current = policyWith({ balancing: { connectionsPerInstance: 1 } });
    set(instances);
    expect(count).to.deep.include({ made: 30, released: 20 });
    destroy();
  });

  it('makes grpc-js look at waiting calls again only when there is news for them', () => {
    const { count, set, destroy } = policyOf('inventory');
    for (let update = 0; update < 100; update += 1) set(instances);
    expect(count.told).to.equal(1);
    destroy();
  });

  it('costs one service what it costs it alone, whatever the number of services', () => {
    const policies = Array.from({ length: 100 }, (_, position) => policyOf(`service-${position}`));
    for (const { set } of policies) set(instances);
    policies[50]?.set(instances.slice(1));
    const changed = policies.filter(({ count }) => count.made !== 20 || count.released !== 0);
    expect(changed).to.deep.equal([policies[50]]);
    for (const { destroy } of policies) destroy();
  });
});
