import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane, type Intention, type WantedIntention } from '#discovery';
import { systemClock, systemRandom } from '#kit';

import type { ConsulServer } from '../support/consul-server.ts';
import { ask } from '../support/http.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';
import { until } from '../support/until.ts';

const action = (source: string, destination: string, allowed: 'allow' | 'deny'): WantedIntention => ({ source, destination, rule: { kind: 'action', action: allowed }, description: '' });
const shown = (intentions: readonly Intention[]) => intentions.map(({ source, destination, rule }) => `${source} => ${destination} ${rule.kind === 'action' ? rule.action : rule.kind}`);

/** The port: what the mesh and the commands see. */
export function describeIntentionStore(server: () => ConsulServer): void {
  describe('intentions of the mesh on it', () => {
    let plane: ConsulControlPlane;
    let memory: MemoryLog;
    beforeEach(async () => {
      memory = createMemoryLog();
      plane = await connectConsul({ address: server().httpAddr, clock: systemClock, random: systemRandom, log: memory.log });
    });
    afterEach(async () => {
      for (const { source, destination } of await plane.intentions.list()) await plane.intentions.delete(source, destination);
      await plane.stop();
    });

    it('come back as they were set', async () => {
      const { intentions } = plane;
      const header = { name: 'x-role', kind: 'exact', value: 'staff', ignoreCase: false, invert: true } as const;
      const present = { name: 'x-region', kind: 'present', value: '', ignoreCase: false, invert: false } as const;
      const rule: WantedIntention['rule'] = {
        kind: 'permissions',
        permissions: [
          { action: 'deny', path: { kind: 'regex', value: '/pay/Re.+' }, methods: ['POST', 'PUT'], headers: [header, present] },
          { action: 'allow', path: { kind: 'prefix', value: '/pay/' }, methods: [], headers: [] },
        ],
      };
      expect(await intentions.set({ source: 'shop', destination: 'pay', rule, description: 'charges' })).to.equal(true);
      const [only, ...others] = await intentions.list();
      expect(others).to.deep.equal([]);
      expect(only).to.deep.include({ source: 'shop', destination: 'pay', rule, description: 'charges', precedence: 9 });
      expect(only?.index).to.be.above(0);
    });

    it('leave the others of a destination, and what is not ours in its entry', async () => {
      const { intentions } = plane;
      const foreign = { Kind: 'service-intentions', Name: 'pay', Meta: { team: 'money' }, Sources: [{ Name: 'web', Action: 'deny', Description: 'theirs' }] };
      await ask(server().httpAddr, 'PUT', '/v1/config', JSON.stringify(foreign));
      await intentions.set(action('shop', 'pay', 'allow'));
      await intentions.set(action('shop', 'pay', 'deny'));
      expect(shown(await intentions.list())).to.deep.equal(['shop => pay deny', 'web => pay deny']);
      await intentions.delete('shop', 'pay');
      const kept = (await ask(server().httpAddr, 'GET', '/v1/config/service-intentions/pay')).json<object>();
      expect(kept).to.deep.include({ Meta: { team: 'money' } });
      await intentions.delete('web', 'pay');
      await intentions.delete('web', 'pay');
      expect(await intentions.list()).to.deep.equal([]);
    });

    it('are set and deleted only over what was read', async () => {
      const { intentions } = plane;
      expect(await intentions.set(action('shop', 'pay', 'allow'), 7)).to.equal(false);
      expect(await intentions.set(action('shop', 'pay', 'allow'), 0)).to.equal(true);
      expect(await intentions.set(action('web', 'pay', 'allow'), 0)).to.equal(false);
      const index = (await intentions.list())[0]?.index ?? 0;
      expect(await intentions.set(action('web', 'pay', 'allow'), index)).to.equal(true);
      expect(await intentions.delete('shop', 'pay', index)).to.equal(false);
      expect(shown(await intentions.list())).to.deep.equal(['shop => pay allow', 'web => pay allow']);
    });

    it('all stay when many are set for one destination at once', async () => {
      const sources = ['a', 'b', 'c', 'd'];
      await Promise.all(sources.map((source) => plane.intentions.set(action(source, 'pay', 'allow'))));
      expect(shown(await plane.intentions.list())).to.deep.equal(sources.map((source) => `${source} => pay allow`));
    });

    it('are watched, wildcards included, and go on as they were while nobody answers', async () => {
      const { intentions } = plane;
      const heard: string[] = [];
      const errors: string[] = [];
      const listener = { onIntentions: (list: readonly Intention[]) => void heard.push(shown(list).join()), onError: ({ reason }: { reason: string }) => void errors.push(reason) };
      const watch = intentions.watch('pay', listener);
      await until('it is known that there is none', () => heard.at(-1) === '');
      await intentions.set(action('shop', 'pay', 'allow'));
      await until('one is there', () => heard.at(-1) === 'shop => pay allow');
      await intentions.set(action('*', '*', 'deny'));
      await until('the one for all is there', () => heard.at(-1) === 'shop => pay allow,* => * deny');
      await intentions.set(action('shop', 'stock', 'deny'));
      await intentions.delete('*', '*');
      await until('it is gone', () => heard.at(-1) === 'shop => pay allow');
      await intentions.delete('shop', 'pay');
      await until('the last is gone', () => heard.at(-1) === '');
      expect(heard, 'what is no concern of the destination wakes nobody').to.have.length(5);

      await intentions.set(action('shop', 'pay', 'deny'));
      await until('one is there again', () => heard.length === 6);
      await server().kill();
      await until('the listener knows', () => errors.at(-1) === 'CONTROL_PLANE_UNAVAILABLE');
      expect(heard.at(-1), 'the last good answer holds').to.equal('shop => pay deny');
      await server().restart();
      await until('it is over', () => memory.lines('Consul is back').length === 1, 15_000);
      await intentions.set(action('shop', 'pay', 'allow'));
      await until('the watch follows again', () => heard.at(-1) === 'shop => pay allow', 10_000);
      await watch.stop();
    });

    it('have a default, also where one holds for everything', async () => {
      await plane.intentions.set(action('*', '*', 'deny'));
      expect(await plane.intentions.defaultAction()).to.equal('allow');
    });
  });
}
