import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane, discoveryChannelOptions, type Policy } from '#discovery';
import { type Stoppable, systemClock, systemRandom } from '#kit';

import { type Backend, type Caller, createCaller, namesOf, startBackend } from '../support/backend.ts';
import type { ConsulServer } from '../support/consul-server.ts';
import { ask } from '../support/http.ts';
import { registration } from '../support/instances.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';
import { until } from '../support/until.ts';

/** What a shop sees: our client, real gRPC servers, and calls between them. */
export function describeMesh(server: () => ConsulServer): void {
  describe('the mesh on it', () => {
    let plane: ConsulControlPlane;
    let memory: MemoryLog;
    const closers: (() => unknown)[] = [];

    beforeEach(async () => {
      memory = createMemoryLog();
      const address = server().httpAddr;
      const deps = { clock: systemClock, random: systemRandom, log: memory.log };
      plane = await connectConsul({ address, ...deps, reconcileMs: 300, emptyHoldMs: 1_000 });
    });
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
      await plane.stop();
    });

    async function serve(service: string, name: string): Promise<Backend & { readonly registered: Stoppable }> {
      const backend = await startBackend(name);
      closers.push(() => backend.stop());
      const registered = await plane.register(registration(service, name, backend.port));
      closers.push(() => registered.stop());
      return { ...backend, registered };
    }

    function callerOf(service: string): Caller {
      const caller = createCaller(`consul:///${service}`, discoveryChannelOptions(plane));
      closers.push(() => caller.close());
      return caller;
    }

    const answeredBy = (caller: Caller, names: string) => async () => (await namesOf(caller)).join() === names;

    it('lists who is there, with health', async () => {
      const backend = await serve('pay', 'pay-1');
      const listed = await plane.listInstances();
      expect(listed.find(({ id }) => id === 'pay-1')).to.deep.equal({
        ...{ id: 'pay-1', service: 'pay', address: '127.0.0.1', port: backend.port },
        ...{ version: '1.2.3', zone: 'a', weight: 1, metadata: { protocol: 'grpc' }, healthy: true },
      });
      expect(listed.some(({ service }) => service === 'consul'), 'lists what is not ours').to.equal(false);
    });

    it('gives calls to a second instance as soon as it is there, and none to one that stopped', async () => {
      await serve('pair', 'a');
      const caller = callerOf('pair');
      expect(await namesOf(caller)).to.deep.equal(['a']);
      const second = await serve('pair', 'b');
      await until('b takes calls', answeredBy(caller, 'a,b'));
      await second.registered.stop();
      await until('b takes none', answeredBy(caller, 'a'));
      expect((await plane.listInstances()).map(({ id }) => id)).to.not.include('b');
    });

    it('takes out who is killed and who says that it does not serve, by their checks', async () => {
      await serve('trio', 'a');
      const [b, c] = [await serve('trio', 'b'), await serve('trio', 'c')];
      const lists: string[] = [];
      const watch = plane.watchInstances('trio', {
        onInstances: (instances) => void lists.push(instances.map(({ id }) => id).join()),
        onError: () => undefined,
      });
      const caller = callerOf('trio');
      await until('all take calls', answeredBy(caller, 'a,b,c'));
      b.setServing(false);
      await c.stop();
      await until('only a is left', () => lists.at(-1) === 'a', 8_000);
      expect(await namesOf(caller)).to.deep.equal(['a']);
      const health = (await plane.listInstances()).filter(({ service }) => service === 'trio');
      expect(health.map(({ id, healthy }) => `${id} ${healthy}`)).to.deep.equal(['a true', 'b false', 'c false']);
      b.setServing(true);
      await until('b is back', () => lists.at(-1) === 'a,b', 8_000);
      await until('b takes calls', answeredBy(caller, 'a,b'));
      await watch.stop();
    });

    it('says that nobody is left only after the last good list has expired', async () => {
      const { registered } = await serve('last', 'a');
      const lists: number[] = [];
      const listener = { onInstances: (instances: readonly unknown[]) => void lists.push(instances.length), onError: () => undefined };
      const watch = plane.watchInstances('last', listener);
      await until('a is there', () => lists.at(-1) === 1);
      const startedAt = performance.now();
      await registered.stop();
      await until('nobody is there', () => lists.at(-1) === 0);
      expect(performance.now() - startedAt).to.be.above(900);
      await watch.stop();
    });

    it('takes out the dead instance whose address and port a new one has', async () => {
      const { port, registered } = await serve('other', 'other-1');
      await registered.stop();
      const killed = { ID: 'killed', Name: 'phoenix', Address: '127.0.0.1', Port: port, Tags: ['shopmesh'] };
      await ask(server().httpAddr, 'PUT', '/v1/agent/service/register', JSON.stringify(killed));
      const risen = await plane.register(registration('phoenix', 'risen', port));
      closers.push(() => risen.stop());
      const listed = await plane.listInstances();
      expect(listed.filter(({ service }) => service === 'phoenix').map(({ id }) => id)).to.deep.equal(['risen']);
    });

    it('registers again what the agent has forgotten', async () => {
      await serve('stock', 'forgettable');
      await ask(server().httpAddr, 'PUT', '/v1/agent/service/deregister/forgettable');
      const isThere = async () => (await plane.listInstances()).some(({ id }) => id === 'forgettable');
      await until('it is said', () => memory.lines('had forgotten').length === 1);
      expect(await isThere()).to.equal(true);
    });

    it('keeps policies: get, check-and-set, delete, watch', async () => {
      const { policies } = plane;
      const heard: (readonly Policy[])[] = [];
      const watch = policies.watch('flags/', { onPolicies: (list) => void heard.push(list), onError: () => undefined });
      await until('the watch knows that there is none', () => heard.at(-1)?.length === 0);
      expect(await policies.get('flags/a')).to.equal(undefined);
      expect(await policies.put('flags/a', 'on', 0)).to.equal(true);
      expect(await policies.put('flags/a', 'off', 0)).to.equal(false);
      const found = await policies.get('flags/a');
      expect(found).to.include({ key: 'flags/a', value: 'on' });
      await until('the watch has it', () => heard.at(-1)?.[0]?.value === 'on');
      expect(await policies.put('flags/a', 'off', found?.index)).to.equal(true);
      expect(await policies.put('flags/a', '', found?.index)).to.equal(false);
      await until('the watch has the change', () => heard.at(-1)?.[0]?.value === 'off');
      await policies.put('other/a', 'x');
      expect(await policies.delete('flags/a', found?.index), 'it has been written since').to.equal(false);
      expect(await policies.get('flags/a')).to.include({ value: 'off' });
      expect(await policies.delete('flags/a', (await policies.get('flags/a'))?.index)).to.equal(true);
      expect(await policies.delete('flags/a', found?.index), 'it is gone').to.equal(true);
      expect(await policies.delete('flags/a')).to.equal(true);
      await until('the watch knows that it is gone', () => heard.at(-1)?.length === 0);
      expect(heard.flat().every(({ key }) => key.startsWith('flags/'))).to.equal(true);
      expect(await policies.delete('other/a')).to.equal(true);
      await watch.stop();
    });

    it('goes on with the last good answer while it is gone, and says so once', async () => {
      await serve('steady', 'a');
      await serve('steady', 'b');
      const caller = callerOf('steady');
      await until('both take calls', answeredBy(caller, 'a,b'));
      const load = callWithoutPause(caller);
      closers.push(() => load.end());

      await server().kill();
      await until('it is said', () => memory.lines('Consul is gone').length === 1);
      await until('both still take calls', answeredBy(caller, 'a,b'));
      await server().restart();
      await until('it is said that it is over', () => memory.lines('Consul is back').length === 1, 15_000);
      await until('both are registered', async () => {
        const there = (await plane.listInstances()).filter(({ service, healthy }) => service === 'steady' && healthy);
        return there.length === 2;
      });
      await serve('steady', 'c');
      await until('the watch follows again', answeredBy(caller, 'a,b,c'));
      expect(await load.end()).to.deep.equal([]);
      expect(memory.lines('Consul is gone')).to.have.length(1);
      expect(memory.lines('Consul is back')).to.have.length(1);
    });
  });
}

/** Calls one after the other until it is ended; tells what went wrong. */
function callWithoutPause(caller: Caller): { end(): Promise<readonly string[]> } {
  const failures: string[] = [];
  let calling = true;
  const run = async (): Promise<readonly string[]> => {
    while (calling) await caller.call().catch((error: unknown) => failures.push(String(error)));
    return failures;
  };
  const ended = run();
  return {
    end: () => {
      calling = false;
      return ended;
    },
  };
}
