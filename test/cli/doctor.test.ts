import { createServer } from 'node:net';

import { expect } from 'chai';

import { freePort } from '../backends/free-port.ts';
import { CHECKS, diagnose } from './support/diagnose.ts';
import { meshHere } from './support/in-process.ts';
import { occupyPort } from './support/occupied-port.ts';
import { type Environment, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

// Beside a shop that runs: running-shop.test.ts.
describe('mesh doctor', function () {
  this.timeout(60_000);
  this.slow(5_000);

  let folder: ShopFolder;
  let port: number;
  before(async () => {
    port = await freePort();
    folder = await makeShopFolder({ MESH_PORT_INVENTORY: String(port) });
  });
  after(() => folder?.remove());

  const troubles = (settings: Environment = {}): Promise<readonly string[]> => diagnose({ ...folder.environment, ...settings });

  it('explains what it looks at', async () => {
    const { exitCode, stdout } = await meshHere(['doctor', '--help'], folder.environment);
    expect(exitCode).to.equal(0);
    for (const check of CHECKS) expect(stdout).to.match(new RegExp(`^ {2}${check} +\\S`, 'm'));
  });

  describe('where no shop runs', () => {
    it('says so, and how to start one, and looks at what there is', async () => {
      const { exitCode, stdout } = await meshHere(['doctor'], folder.environment);
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^OK +ports +\S/m).and.match(/^SKIP +registrations +no shop runs here; start one with `npm start` or `npx mesh up`$/m).and.match(/^SKIP +schema +\S/m);
      expect(stdout).to.match(/\n\nno shop runs here; start one with `npm start` or `npx mesh up`; what .* is well\n$/).and.not.include('all is well');
      expect(await troubles()).to.deep.equal([]);
    });

    it('finds a port that somebody else has, and names the setting that moves the service', async () => {
      const foreign = await occupyPort(port);
      const [trouble, ...others] = await troubles();
      await foreign.close();
      expect(others).to.deep.equal([]);
      expect(trouble).to.match(new RegExp(`^fail ports: port ${port} on 127\\.0\\.0\\.1 is taken by somebody else, so inventory cannot start; .*MESH_PORT_INVENTORY`));
    });

    it('finds two services on one port', async () => {
      expect(await troubles({ MESH_PORT_USER: String(port) })).to.deep.equal([
        `fail ports: user and inventory are both to listen on port ${port}; change MESH_PORT_USER or MESH_PORT_INVENTORY`,
      ]);
    });

    const idle: readonly { readonly given: Environment; readonly says: string }[] = [
      { given: { MESH_STRIPE_URL: 'http://127.0.0.1:1' }, says: 'MESH_STRIPE_URL does nothing: without STRIPE_API_KEY, `mesh up` brings the card simulator' },
      { given: { CONSUL_HTTP_TOKEN: 'hunter2' }, says: 'CONSUL_HTTP_TOKEN does nothing: without CONSUL_HTTP_ADDR' },
      { given: { OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://127.0.0.1:1' }, says: 'OTEL_EXPORTER_JAEGER_ENDPOINT does nothing: OTEL_TRACES_EXPORTER is otlp' },
      { given: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'jaeger' }, says: 'OTEL_EXPORTER_OTLP_ENDPOINT does nothing' },
      { given: { MESH_TRACE_PERCENT: '10', OTEL_TRACES_EXPORTER: 'none' }, says: 'MESH_TRACE_PERCENT does nothing: OTEL_TRACES_EXPORTER is none' },
      { given: { MESH_EVENTS_URL: 'postgres://shop:hunter2@127.0.0.1:1/events', KAFKA_BROKERS: '127.0.0.1:1' }, says: 'MESH_EVENTS_URL does nothing: KAFKA_BROKERS is set' },
      { given: { MESH_LOCAL_CALLS: 'fidelity' }, says: 'MESH_LOCAL_CALLS does nothing: no two services share a process' },
    ];
    for (const { given, says } of idle) {
      it(`finds that ${Object.keys(given).join(' with ')} has no effect`, async () => {
        const found = await troubles(given);
        expect(found).to.have.length(1);
        expect(found[0]).to.include(`warn settings: ${says}`).and.not.include('hunter2');
      });
    }

    it('does not wait for servers that take connections and never answer', async () => {
      const silent = createServer();
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const address = silent.address();
      const hung = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
      const began = performance.now();
      const found = await troubles({ CONSUL_HTTP_ADDR: `http://${hung}`, DATABASE_URL: `postgres://shop:hunter2@${hung}/shop`, DATABASE_URL_USER: `postgres://shop:hunter2@${hung}/other` });
      silent.close();
      expect(performance.now() - began).to.be.lessThan(20_000);
      expect(found.map((line) => line.split(':')[0]), 'once for a server').to.deep.equal(['fail registrations', 'fail schema']);
      expect(found.join('\n')).to.include('CONSUL_HTTP_ADDR').and.include('DATABASE_URL').and.not.include('hunter2');
    });
  });
});
