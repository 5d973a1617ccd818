import { expect } from 'chai';

import { connectConsul, type ConsulControlPlane, type IntentionAction } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { startConsul } from '../../backends/consul.ts';
import { locateBackend } from '../../backends/locate.ts';
import { type ConsulServer, startEmbedded } from '../../discovery/support/consul-server.ts';
import { until } from '../../discovery/support/until.ts';
import { failureOf } from '../support/outcome.ts';
import { useGuardedShops } from './support/guarded-shop.ts';

const servers: readonly (readonly [name: string, start: (this: Mocha.Context) => Promise<ConsulServer>])[] = [
  ['the embedded agent', startEmbedded],
  [
    'Consul',
    async function () {
      const isMissing = (await locateBackend('consul')) === undefined;
      if (isMissing && process.env['CI'] !== 'true') this.skip();
      return startConsul();
    },
  ],
];

for (const [name, start] of servers) {
  describe(`a guard that goes by the intentions of ${name}`, function () {
    this.timeout(30_000);
    const open = useGuardedShops();
    let server: ConsulServer | undefined;
    let plane: ConsulControlPlane;
    before(async function () {
      this.timeout(60_000);
      server = await start.call(this);
      plane = await connectConsul({ address: server.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
    });
    after(async () => {
      await plane?.stop();
      await server?.stop();
    });
    const put = (source: string, action: IntentionAction) => plane.intentions.set({ source, destination: 'order', rule: { kind: 'action', action }, description: '' });

    it('goes by the default that it says', async () => {
      const { guard } = open({ intentions: plane.intentions });
      await guard.ready('order');
      expect(guard.read('order')).to.include({ defaultAction: 'allow', intentions: 0 });
    });

    it('ends a stream when the intention changes, and goes on by what it knows when the server is gone', async () => {
      const shop = open({ intentions: plane.intentions });
      const orders = shop.orders('cart');
      const stream = orders.watchOrder({ orderId: 'o-1' })[Symbol.asyncIterator]();
      await stream.next();
      const ended = failureOf(stream.next());
      await put('cart', 'deny');
      expect(await ended).to.include({ reason: 'INTENTION_DENIED' });
      await server?.kill();
      expect(await failureOf(orders.getOrder({ orderId: 'o-1' }))).to.include({ reason: 'INTENTION_DENIED' });
      await shop.orders('web').getOrder({ orderId: 'o-1' });
    });

    it('follows it again once it is back', async () => {
      const shop = open({ intentions: plane.intentions });
      await server?.restart();
      // Consul in development mode has forgotten everything.
      await until('it takes intentions', () => put('web', 'deny').catch(() => false), 10_000);
      await until('the new one holds', async () => (await shop.orders('web').getOrder({ orderId: 'o-1' }).then(() => '', ({ reason }) => reason)) === 'INTENTION_DENIED', 10_000);
    });
  });
}
