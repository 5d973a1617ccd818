import { expect } from 'chai';

import { type Consul, startConsul } from '../backends/consul.ts';
import { type Jaeger, startJaeger } from '../backends/jaeger.ts';
import { type BackendName, locateBackend } from '../backends/locate.ts';
import { eventually } from './support/eventually.ts';
import { type RunningCommand, startMesh } from './support/mesh-command.ts';
import { placeOrder, ps, SERVICES } from './support/shop-commands.ts';
import { type Environment, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';
import { expectOrderTrace, readOrderTrace } from './support/shop-trace.ts';

interface Check {
  readonly ServiceName: string;
  readonly Status: string;
}

describe('mesh up with a real Consul and a real Jaeger', function () {
  this.timeout(120_000);
  this.slow(20_000);

  let consul: Consul | undefined;
  let jaeger: Jaeger | undefined;
  before(async function () {
    if (!(await isInstalled('consul')) || !(await isInstalled('jaeger'))) this.skip();
    [consul, jaeger] = await Promise.all([startConsul(), startJaeger()]);
  });
  after(() => Promise.all([consul?.stop(), jaeger?.stop()]));

  const ways: readonly { readonly how: string; readonly topology: string; readonly settings: (to: Jaeger) => Environment }[] = [
    { how: 'over OTLP', topology: 'micro', settings: (to) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: to.otlpHttpEndpoint }) },
    {
      how: 'through exporter-jaeger',
      topology: 'monolith',
      settings: (to) => ({ OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_JAEGER_ENDPOINT: to.thriftHttpEndpoint }),
    },
  ];
  for (const { how, topology, settings } of ways) {
    describe(`${how}, as ${topology}`, () => {
      let folder: ShopFolder;
      let shop: RunningCommand | undefined;
      before(async () => {
        if (!consul || !jaeger) throw new Error('the servers run');
        folder = await makeShopFolder({ CONSUL_HTTP_ADDR: consul.httpAddr, MESH_JAEGER_URL: jaeger.queryUrl, ...settings(jaeger) });
        await folder.layCluster();
        shop = startMesh(['up', '--demo', '--topology', topology], folder, folder.root);
        await shop.untilPrinted('The shop is up');
      });
      after(async () => {
        shop?.kill('SIGTERM');
        await shop?.finished;
        await folder?.remove();
      });

      it('starts no stand-in for them', () => {
        expect(shop?.output()).to.match(new RegExp(`^ {2}consul +${consul?.httpAddr}$`, 'm'));
        expect(shop?.output()).to.match(new RegExp(`^ {2}jaeger +${jaeger?.queryUrl} \\(spans to http\\S+\\)$`, 'm'));
        expect(shop?.output()).not.to.match(/^ {2}(consul|jaeger) .*stand-in/m);
      });

      it('has every service registered in Consul, its check passing', async () => {
        const seen = async (): Promise<string[]> => (await checksOf(consul?.httpAddr)).map(({ ServiceName, Status }) => `${ServiceName} ${Status}`).sort();
        // A process that is busy with its start may miss a check.
        await eventually('every check passes', async () => (await seen()).every((check) => check.endsWith(' passing')));
        expect(await seen()).to.deep.equal(SERVICES.map((name) => `${name} passing`));
        expect((await ps(folder.environment)).map(({ service }) => service)).to.deep.equal(SERVICES);
      });

      it('makes one tree of an order through the services in Jaeger: each call once, no error, no parent missing', async () => {
        const traceId = /^trace ([0-9a-f]{32}):/m.exec(shop?.output() ?? '')?.[1] ?? '';
        expectOrderTrace(await readOrderTrace(jaeger?.queryUrl ?? '', traceId));
        expect(shop?.output()).to.include(`${jaeger?.queryUrl}/trace/${traceId}`);
      });

      it('is called by `mesh call` through the same servers', async () => {
        expect((await placeOrder(folder.environment)).state).to.equal('ORDER_STATE_CONFIRMED');
      });

      it('leaves nothing, and nobody in Consul', async () => {
        shop?.killGroup('SIGINT');
        expect((await shop?.finished)?.exitCode).to.equal(0);
        shop = undefined;
        expect(await checksOf(consul?.httpAddr)).to.deep.equal([]);
        expect(await folder.leftOvers()).to.deep.equal([]);
      });
    });
  }
});

async function isInstalled(name: BackendName): Promise<boolean> {
  const path = await locateBackend(name);
  if (path === undefined && process.env['CI'] === 'true') throw new Error(`${name} is not installed, and CI skips nothing: run \`npm run backends\``);
  return path !== undefined;
}

async function checksOf(httpAddr: string | undefined): Promise<readonly Check[]> {
  const response = await fetch(`${httpAddr}/v1/agent/checks`, { headers: { connection: 'close' } });
  return Object.values((await response.json()) as Record<string, Check>);
}
