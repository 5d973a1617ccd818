import { expect } from 'chai';
import { silentLog } from '#kit';

import { agentCalls } from '../../discovery/consul/agent-calls.ts';
import type { Caller } from '../../discovery/consul/caller.ts';
import { unavailable } from '../../discovery/consul/failure.ts';
import { createOutage } from '../../discovery/consul/outage.ts';
import { keepRegistered } from '../../discovery/consul/registration.ts';
import { registrationBody } from '../../discovery/consul/registration-body.ts';
import { EXPLORER_PORT, newInstanceId } from '#discovery';
import { systemRandom } from '#kit';
import { fixedRandom } from './support/fixed-random.ts';
import { registration } from './support/instances.ts';
import { createManualClock } from './support/manual-clock.ts';
import { createMemoryLog } from './support/memory-log.ts';

const mine = registration('inventory', 'inventory-1', 50_053);

function setUp() {
  const clock = createManualClock();
  const done: string[] = [];
  const agent = { known: false, slowly: undefined as Promise<void> | undefined, fails: false };
  const consul = {
    register: async () => {
      done.push('register');
      await agent.slowly;
      if (agent.fails) throw unavailable('unreachable', 'gone');
      agent.known = true;
      done.push('registered');
    },
    isRegistered: async () => {
      if (agent.fails) throw unavailable('unreachable', 'gone');
      return agent.known;
    },
    predecessors: async () => [],
    deregister: async () => {
      if (agent.fails) throw unavailable('unreachable', 'gone');
      agent.known = false;
      done.push('deregistered');
    },
  };
  const memory = createMemoryLog();
  const outage = createOutage(silentLog, 'http://consul');
  const token = { changed: 0, changes: () => token.changed };
  const options = { consul, outage, token, clock, random: fixedRandom, log: memory.log, reconcileMs: 5_000 };
  return { clock, done, agent, memory, options };
}

describe('a registration', () => {
  it('is renewed when the agent has forgotten it', async () => {
    const { clock, agent, done, options, memory } = setUp();
    const kept = await keepRegistered(mine, options);
    await clock.advance(20_000);
    expect(done).to.deep.equal(['register', 'registered']);
    agent.known = false;
    await clock.advance(5_000);
    expect(agent.known).to.equal(true);
    expect(memory.lines('forgotten')).to.have.length(1);
    await kept.stop();
  });

  it('is made anew with a new token, which the agent uses from then on', async () => {
    const { clock, done, options, memory } = setUp();
    const kept = await keepRegistered(mine, options);
    options.token.changed += 1;
    await clock.advance(20_000);
    expect(done).to.deep.equal(['register', 'registered', 'register', 'registered']);
    expect(memory.lines('new token')).to.have.length(1);
    await kept.stop();
  });

  it('waits for a renewal under way before it is withdrawn, and leaves no ghost', async () => {
    const { clock, agent, done, options } = setUp();
    const kept = await keepRegistered(mine, options);
    agent.known = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    agent.slowly = promise;
    await clock.advance(5_000);
    const stopped = kept.stop();
    await clock.advance(0);
    expect(done.at(-1)).to.equal('register');
    resolve();
    await stopped;
    expect(done.slice(-2)).to.deep.equal(['registered', 'deregistered']);
    expect(clock.sleeping()).to.deep.equal([]);
    await clock.advance(60_000);
    expect(agent.known).to.equal(false);
  });

  it('goes on asking while Consul is gone, and its end does not fail then', async () => {
    const { clock, agent, options, memory } = setUp();
    const kept = await keepRegistered(mine, options);
    agent.fails = true;
    await clock.advance(20_000);
    agent.fails = false;
    agent.known = false;
    await clock.advance(5_000);
    expect(agent.known).to.equal(true);
    agent.fails = true;
    await kept.stop();
    await kept.stop();
    expect(memory.lines('could not deregister')).to.have.length(1);
  });

  it('that fails at first is an error', async () => {
    const { agent, options } = setUp();
    agent.fails = true;
    const failed = await keepRegistered(mine, options).catch((error: unknown) => error);
    expect(failed).to.include({ reason: 'CONTROL_PLANE_UNAVAILABLE' });
  });

  it('asks for a gRPC check that starts as passing and forgets the dead', () => {
    const body = registrationBody({ ...mine, weight: 3, address: '::1' });
    expect(body).to.deep.include({ Name: 'inventory', ID: 'inventory-1', Weights: { Passing: 3, Warning: 1 } });
    expect(body['Meta']).to.deep.equal({ protocol: 'grpc', version: '1.2.3', zone: 'a' });
    expect(body['Check']).to.include({ GRPC: '[::1]:50053/shop.inventory', Interval: '2s', Timeout: '2s', Status: 'passing' });
    expect(body['Check']).to.include({ DeregisterCriticalServiceAfter: '1m' });
    expect(body['Check']).to.not.have.any.keys('GRPCUseTLS', 'TLSSkipVerify');
    expect(() => registrationBody({ ...mine, metadata: { zone: 'b' } })).to.throw('cannot be a metadata key');
  });

  it('asks for a check over TLS where the port takes nothing else', () => {
    expect(registrationBody({ ...mine, tls: true })['Check']).to.include({ GRPCUseTLS: true, TLSSkipVerify: true });
  });

  it('takes the place of those that had one of its ports', async () => {
    const known = (id: string, more: object = {}) => ({ [id]: { ID: id, Service: 'inventory', Address: '127.0.0.1', Port: 1, Meta: {}, ...more } });
    const services = {
      ...known('inventory-1', { Port: 50_053 }),
      ...known('same-port', { Port: 50_053 }),
      ...known('same-explorer', { Meta: { [EXPLORER_PORT]: '50053' } }),
      ...known('other-ports', { Meta: { [EXPLORER_PORT]: '50099' } }),
      ...known('none', { Meta: null }),
      ...known('other-service', { Port: 50_053, Service: 'order' }),
      ...known('other-machine', { Port: 50_053, Address: '10.0.0.1' }),
    };
    // The one call that is made of it.
    const consul = { agent: { service: { list: async () => services } } };
    const caller = { consul, headers: {}, call: async (ask: (options: object) => Promise<unknown>) => [undefined, await ask({})] } as unknown as Caller;
    const withExplorer = { ...mine, metadata: { [EXPLORER_PORT]: '50053' } };
    expect(await agentCalls(caller).predecessors(withExplorer)).to.deep.equal(['same-port', 'same-explorer']);
    expect(await agentCalls(caller).predecessors(mine)).to.deep.equal(['same-port']);
  });

  it('has an id of its own, also on the same port', () => {
    const ids = [1, 2].map(() => newInstanceId('inventory', '127.0.0.1', 50_053, systemRandom));
    expect(new Set(ids)).to.have.length(2);
    expect(ids[0]).to.match(/^inventory-127\.0\.0\.1-50053-[0-9a-f]{8}$/);
    expect(newInstanceId('inventory', '::1', 1, fixedRandom)).to.equal('inventory-1-1-07070707');
  });
});
