import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { create, toBinary } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { connectConsul, type ConsulControlPlane } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';
import { createIntentionGuard, createMesh, type Handlers } from '#mesh';
import { GetProductRequestSchema, ProductService } from '#proto/shop/product/v1/product_pb.js';

import { type BackendName, locateBackend } from '../backends/locate.ts';
import { commandsOf, type ProductionConsul, startProductionConsul } from '../deploy/production-consul.ts';
import { until } from '../discovery/support/until.ts';
import { createTelemetry } from '../mesh/support/telemetry.ts';
import { createPythonService, type PythonOutcome, type PythonService } from './python-programs.ts';

const NEEDS: readonly BackendName[] = ['consul', 'grpcurl', 'grpcio'];
const DEPENDENCIES = { clock: systemClock, random: systemRandom, log: silentLog };

describe('a program in Python that joins by the commands of docs/joining-the-mesh.md', function () {
  this.timeout(90_000);
  const toStop: (() => Promise<void>)[] = [];
  let consul: ProductionConsul;
  let storefront: PythonService;
  let port: number;
  before(async function () {
    const isMissing = (await Promise.all(NEEDS.map(locateBackend))).includes(undefined);
    if (isMissing && process.env['CI'] !== 'true') this.skip();
    consul = await startProductionConsul();
    toStop.push(consul.stop);
    await consul.run((await commandsOf('docs/joining-the-mesh.md')).join('\n'));
    const [chainPem = '', keyPem = '', roots = ''] = await Promise.all(['storefront.pem', 'storefront-key.pem', 'mesh-roots.pem'].map((name) => readFile(join(consul.folder, name), 'utf8')));
    storefront = await createPythonService({ chainPem, keyPem }, { trustDomain: '', roots: [roots] });
    toStop.push(storefront.stop);
    port = await serveProduct();
  });
  after(async () => {
    for (const stop of toStop.splice(0).reverse()) await stop();
  });

  /** With the token of one service, and no other right. */
  async function openAs(service: string): Promise<ConsulControlPlane> {
    const { httpAddr, grpcAddr, caPem, folder } = consul;
    const certificates = { source: 'sign', grpcAddress: grpcAddr, grpcCaPem: caPem, grpcServerName: 'server.dc1.consul' } as const;
    const plane = await connectConsul({ address: httpAddr, caPem, tokenFile: join(folder, 'tokens', service), certificates, ...DEPENDENCIES });
    toStop.push(plane.stop);
    return plane;
  }

  async function serveProduct(): Promise<number> {
    const { certificates, intentions } = await openAs('product');
    const guard = createIntentionGuard({ intentions, defaultAction: 'consul', permissive: false, ...DEPENDENCIES });
    toStop.push(guard.stop);
    const openChannel = (): never => expect.fail('it calls nobody');
    const mesh = createMesh({ ...DEPENDENCIES, openChannel, guards: (method, service) => [guard.link(method, service)] });
    // The program calls no other method.
    const handlers = { getProduct: async () => ({}) } as Partial<Handlers<typeof ProductService>> as Handlers<typeof ProductService>;
    const hosting = mesh.host({ contract: ProductService, handlers, tracer: createTelemetry().tracer('product'), log: silentLog, check: async () => undefined });
    await guard.ready('product');
    const listening = await hosting.listen('127.0.0.1', 0, { kind: 'mtls', identity: await certificates.identity('product'), permissive: false });
    toStop.push(mesh.stop, () => (listening.hurry(), listening.stop()));
    return listening.port;
  }

  function getProduct(service = 'product'): Promise<PythonOutcome> {
    const request = toBinary(GetProductRequestSchema, create(GetProductRequestSchema, { productId: 'beans' }));
    return storefront.call({ port, service, path: '/shop.product.v1.ProductService/GetProduct', request });
  }

  it('is known by its certificate, and may call nobody yet', async () => {
    const { code, details } = await getProduct();
    expect(code).to.equal('PERMISSION_DENIED');
    expect(details).to.contain('storefront');
  });

  it('may call whom an intention lets it call', async () => {
    const { intentions } = await openAs('operator');
    await intentions.set({ source: 'storefront', destination: 'product', rule: { kind: 'action', action: 'allow' }, description: '' });
    await until('the intention holds', async () => (await getProduct()).code === 'OK', 10_000);
  });

  it('notices who is not whom it calls', async () => {
    expect((await getProduct('order')).details).to.contain('Hostname Verification Check failed');
  });
});
