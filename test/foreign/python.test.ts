import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Channel } from '@grpc/grpc-js';
import { expect } from 'chai';

import { discoveryChannelOptions } from '#discovery';
import { silentLog, systemClock } from '#kit';
import { createIntentionGuard, createMesh, type CredentialOptions, meshCredentials, type OpenChannel, trustOptions } from '#mesh';
import { GetProductRequestSchema, GetProductResponseSchema } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { type Grounds, openGrounds } from '../attacks/mesh/grounds.ts';
import { startTarget, type Target } from '../attacks/mesh/target.ts';
import { startConsul } from '../backends/consul.ts';
import { type BackendName, locateBackend } from '../backends/locate.ts';
import { certificateOf } from '../discovery/support/authority.ts';
import { startEmbedded } from '../discovery/support/consul-server.ts';
import { until } from '../discovery/support/until.ts';
import { strangerWith } from '../mesh/identity/support/stranger.ts';
import { failureOf } from '../mesh/support/outcome.ts';
import { createTelemetry } from '../mesh/support/telemetry.ts';
import { shakeHands } from './shake-hands.ts';
import { createPythonService, type PythonCall, type PythonOutcome, type PythonService } from './python-programs.ts';

const SERVERS = [
  { name: 'the embedded agent', needs: ['grpcio'], start: startEmbedded },
  { name: 'Consul', needs: ['grpcio', 'consul'], start: () => startConsul() },
] as const satisfies readonly { readonly needs: readonly BackendName[]; readonly [more: string]: unknown }[];

for (const { name, needs, start } of SERVERS) {
  describe(`gRPC for Python, with certificates and intentions of ${name}`, function () {
    this.timeout(60_000);
    let grounds: Grounds;
    let address: string;
    const toStop: (() => Promise<void>)[] = [];
    before(async function () {
      const isMissing = (await Promise.all(needs.map(locateBackend))).includes(undefined);
      if (isMissing && process.env['CI'] !== 'true') this.skip();
      const server = await start();
      toStop.push(server.stop);
      address = server.httpAddr;
      grounds = await openGrounds(address);
      toStop.push(grounds.stop);
    });
    after(async () => {
      for (const stop of toStop.splice(0).reverse()) await stop();
    });

    /** A service in Python, with the certificate of `service`. */
    async function inPython(service: string): Promise<PythonService> {
      const python = await createPythonService(await grounds.leaf(service), grounds.trust);
      toStop.push(python.stop);
      return python;
    }

    describe('as a client', () => {
      let target: Target;
      let storefront: PythonService;
      before(async () => {
        const { intentions } = grounds.plane;
        const guard = createIntentionGuard({ intentions, defaultAction: 'allow', permissive: false, clock: systemClock, log: silentLog });
        toStop.push(guard.stop);
        target = await startTarget(grounds, { guards: (method, service) => [guard.link(method, service)] });
        toStop.push(target.stop);
        storefront = await inPython('storefront');
      });

      /** The same services, where nobody asks who calls. */
      async function unguarded(): Promise<Target> {
        const open = await startTarget(grounds);
        toStop.push(open.stop);
        return open;
      }

      function getProduct(more: Partial<PythonCall> = {}): Promise<PythonOutcome> {
        const request = toBinary(GetProductRequestSchema, create(GetProductRequestSchema, { productId: 'beans' }));
        return storefront.call({ port: target.portOf('product'), service: 'product', path: '/shop.product.v1.ProductService/GetProduct', request, ...more });
      }

      it('calls as the service of its certificate, and knows the server by its name', async () => {
        const { code, details, answer } = await getProduct();
        expect({ code, details }).to.deep.equal({ code: 'OK', details: '' });
        expect(fromBinary(GetProductResponseSchema, Buffer.from(answer, 'hex')).product?.productId).to.equal('beans');
        expect(target.traces.done).to.deep.equal(['product for storefront']);
      });

      it('is refused without a certificate, and told how to get one', async () => {
        const { code, details } = await getProduct({ withoutCertificate: true });
        expect(code).to.equal('UNAUTHENTICATED');
        expect(details).to.contain('with a certificate of its mesh').and.to.contain('mesh cert');
        const open = await unguarded();
        expect((await getProduct({ port: open.portOf('product'), withoutCertificate: true })).code, 'without the guard').to.equal('OK');
      });

      it('does not call a server of another name', async () => {
        const { code, details } = await getProduct({ port: target.portOf('order') });
        expect(code).to.equal('UNAVAILABLE');
        expect(details).to.contain('Hostname Verification Check failed');
      });

      it('is refused by an intention, and told by which', async () => {
        const { intentions } = grounds.plane;
        await intentions.set({ source: 'storefront', destination: 'product', rule: { kind: 'action', action: 'deny' }, description: '' });
        let last: PythonOutcome | undefined;
        await until('the intention holds', async () => (last = await getProduct()).code !== 'OK', 10_000);
        expect(last?.code).to.equal('PERMISSION_DENIED');
        expect(last?.details).to.contain('storefront').and.to.contain('product');
      });
    });

    describe('as a server', () => {
      const idOf = (service: string): string => `spiffe://${grounds.trust.trustDomain}/ns/default/dc/dc1/svc/${service}`;

      /** Registers what answers as `user`, as any program does. */
      async function register(id: string, { port, healthPort }: { readonly port: number; readonly healthPort: number }): Promise<void> {
        const Check = { GRPC: `127.0.0.1:${healthPort}`, Interval: '1s', Status: 'passing' };
        const body = JSON.stringify({ Name: 'user', ID: id, Address: '127.0.0.1', Port: port, Tags: ['shopmesh'], Check });
        const answer = await fetch(`${address}/v1/agent/service/register`, { method: 'PUT', body, headers: { connection: 'close' } });
        expect(answer.status, await answer.text()).to.equal(200);
        const leave = async (): Promise<void> => {
          await (await fetch(`${address}/v1/agent/service/deregister/${id}`, { method: 'PUT', headers: { connection: 'close' } })).text();
        };
        toStop.push(leave);
      }

      /** Asks whoever is registered as `user`, as a service of ours. */
      async function askUser(caller: string, looking: CredentialOptions = {}): Promise<string | undefined> {
        const identity = await grounds.identity(caller);
        const openChannel: OpenChannel = (service, options) =>
          new Channel(`consul:///${service}`, meshCredentials(identity, service, looking), { ...options, ...discoveryChannelOptions(grounds.plane), ...trustOptions(identity) });
        const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
        try {
          const { user } = await mesh.client(UserService, { tracer: createTelemetry().tracer(caller), service: caller }).getUser({ userId: 'demo' });
          return user?.displayName;
        } finally {
          await mesh.stop();
        }
      }

      it('is found, proves to be the service, and is told by a certificate who calls', async () => {
        await register('user-python', await (await inPython('user')).serveUser(idOf('order')));
        expect(await askUser('order')).to.equal(idOf('order'));
        expect(await failureOf(askUser('shipping'))).to.include({ code: 'PERMISSION_DENIED' });
        await toStop.pop()?.();
      });

      it('takes nobody without a certificate', async () => {
        const { port } = await (await inPython('user')).serveUser(idOf('order'));
        const openChannel: OpenChannel = (service) =>
          new Channel(`127.0.0.1:${port}`, strangerWith(grounds.trust.roots), { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': service });
        const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
        toStop.push(mesh.stop);
        const users = mesh.client(UserService, { tracer: createTelemetry().tracer('stranger'), service: '' });
        expect(await failureOf(users.getUser({ userId: 'demo' }))).to.include({ code: 'UNAVAILABLE' });
      });

      it('shows another leaf, and believes other roots, once they are in its files', async () => {
        const { ours, trust } = grounds;
        const python = await inPython('user');
        const { port } = await python.serveUser(idOf('order'));
        const stolen = await grounds.leaf('order');
        const before = await shakeHands(port, stolen, trust);
        const renewed = await ours.leaf('user');
        await python.renew(renewed, ours.trust);
        expect(await shakeHands(port, await ours.leaf('order'), trust)).to.equal(certificateOf(renewed.chainPem).fingerprint256).and.not.to.equal(before);
        expect(await shakeHands(port, stolen, trust)).to.equal(undefined);
      });

      it('is not called when it is another service', async () => {
        await register('user-impostor', await (await inPython('inventory')).serveUser(idOf('order')));
        expect(await failureOf(askUser('order'))).to.include({ code: 'UNAVAILABLE', reason: 'SERVER_IDENTITY' });
        expect(await askUser('order', { checkServer: () => undefined }), 'where nobody looks').to.equal(idOf('order'));
        await toStop.pop()?.();
      });
    });
  });
}
