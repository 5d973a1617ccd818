import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { type CertificateOptions, connectConsul, type ConsulControlPlane, peerService, readChain, type ServiceIdentity } from '#discovery';
import { systemClock, systemRandom } from '#kit';

import { ask } from '../support/http.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';
import { shakeHands } from '../support/tls-pair.ts';
import { until } from '../support/until.ts';

export interface CertificateServer {
  readonly httpAddr: string;
  stop(): Promise<void>;
}

export interface Expected {
  readonly certificates: CertificateOptions;
  /** Whether the leaves name hosts. */
  readonly namesHosts: boolean;
}

/** What the shop relies on, asked of any server and by each way to a certificate. */
export function describeCertificates(name: string, { certificates, namesHosts }: Expected, start: (this: Mocha.Context) => Promise<CertificateServer>): void {
  describe(`certificates: ${name}`, function () {
    this.timeout(30_000);
    let server: CertificateServer | undefined;
    let memory: MemoryLog;
    const planes: ConsulControlPlane[] = [];
    const httpAddr = (): string => server?.httpAddr ?? '';
    before(async function () {
      this.timeout(60_000);
      server = await start.call(this);
    });
    beforeEach(() => (memory = createMemoryLog()));
    afterEach(async () => {
      for (const plane of planes.splice(0)) await plane.stop();
    });
    after(() => server?.stop());

    async function open(more: CertificateOptions = {}): Promise<ConsulControlPlane> {
      const deps = { clock: systemClock, random: systemRandom, log: memory.log };
      const plane = await connectConsul({ address: httpAddr(), ...deps, certificates: { ...certificates, rotationSpreadMs: 100, ...more } });
      planes.push(plane);
      return plane;
    }
    const party = (identity: ServiceIdentity) => ({
      chainPem: identity.leaf().chainPem,
      keyPem: identity.leaf().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      trust: identity.trust(),
    });
    const judge = (identity: ServiceIdentity, by: ServiceIdentity = identity): unknown => {
      const verdict = peerService(readChain(identity.leaf().chainPem), by.trust(), Date.now());
      return verdict.kind === 'trusted' ? verdict.id.service : verdict.why;
    };

    it('gives a service a leaf that says who it is, signed by a listed root, with a key of its own', async () => {
      const { certificates: port } = await open();
      const order = await port.identity('order');
      const { spiffeId, notBeforeMs, notAfterMs, privateKey, chainPem } = order.leaf();
      expect(judge(order)).to.equal('order');
      expect(spiffeId).to.equal(`spiffe://${order.trust().trustDomain}/ns/default/dc/dc1/svc/order`);
      expect(order.trust().trustDomain).to.match(/^[0-9a-f-]{36}\.consul$/);
      expect([notBeforeMs < Date.now(), notAfterMs > Date.now() + 50 * 3_600_000]).to.deep.equal([true, true]);
      expect(new X509Certificate(chainPem).checkPrivateKey(privateKey)).to.equal(true);
      expect(privateKey.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1');
      expect(JSON.stringify(order.leaf()), 'the key gets into a log').to.not.contain('PRIVATE');
      expect(port.counts()).to.deep.equal({ renewals: 0, failures: 0, expired: 0 });
    });

    it(`${namesHosts ? 'names' : 'does not name'} the hosts that other clients insist on`, async () => {
      const { certificates: port } = await open();
      const certificate = new X509Certificate((await port.identity('order')).leaf().chainPem);
      const matched = ['order', 'order.service.consul', 'localhost'].map((host) => certificate.checkHost(host));
      expect(matched).to.deep.equal(namesHosts ? ['order', 'order.service.consul', 'localhost'] : [undefined, undefined, undefined]);
      expect(['127.0.0.1', '::1'].map((address) => certificate.checkIP(address) !== undefined)).to.deep.equal([namesHosts, namesHosts]);
      expect(certificate.checkHost('payment')).to.equal(undefined);
    });

    it('gives all that ask for one service one leaf, and refuses names that are none', async () => {
      const { certificates: port } = await open();
      const [one, other, payment] = await Promise.all([port.identity('order'), port.identity('order'), port.identity('payment')]);
      expect(one?.leaf()).to.equal(other?.leaf());
      expect(payment?.leaf().spiffeId).to.match(/\/svc\/payment$/);
      await one?.stop();
      expect(other?.leaf().service).to.equal('order');
      for (const bad of ['', 'a/b', '../order', 'Order', 'a'.repeat(64), 'a b']) {
        expect(await port.identity(bad).catch((error: unknown) => error), bad).to.have.property('reason', 'INVALID_ARGUMENT');
      }
    });

    it('lets two services shake hands, and each know the other', async () => {
      const { certificates: port } = await open();
      const [order, payment] = [await port.identity('order'), await port.identity('payment')];
      const { server: seenByClient, client: seenByServer } = await shakeHands(party(payment), party(order));
      expect(seenByClient).to.have.nested.property('id.service', 'payment');
      expect(seenByServer).to.have.nested.property('id.service', 'order');
    });

    it('goes over to a new root while both are believed', async () => {
      const { certificates: port } = await open();
      const early = await port.identity('order');
      const before = { leaf: early.leaf(), trust: early.trust() };
      let changes = 0;
      const unsubscribe = early.onChange(() => (changes += 1));
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const key = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
      const body = { Provider: 'consul', Config: { LeafCertTTL: '72h', IntermediateCertTTL: '8760h', PrivateKey: key } };
      const answered = await ask(httpAddr(), 'PUT', '/v1/connect/ca/configuration', JSON.stringify(body));
      expect(answered.status, answered.text).to.equal(200);
      await until('both roots are known', () => early.trust().roots.length === before.trust.roots.length + 1, 10_000);
      expect(early.trust().roots).to.include.members([...before.trust.roots]);
      expect(early.trust().roots[0]).to.not.equal(before.trust.roots[0]);
      expect(changes).to.be.above(0);
      unsubscribe();

      // A process that starts now gets a leaf of the new root at once; one that runs gets it a little later.
      const late = await (await open()).certificates.identity('payment');
      expect(new X509Certificate(late.leaf().chainPem).verify(new X509Certificate(late.trust().roots[0] ?? '').publicKey)).to.equal(true);
      expect(judge(late, early)).to.equal('payment');
      const shaken = await shakeHands(party(late), { ...party(early), chainPem: before.leaf.chainPem, keyPem: before.leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
      expect([shaken.server, shaken.client].map((side) => side?.kind)).to.deep.equal(['trusted', 'trusted']);
      // Who has not heard of the new root yet accepts its leaves: the old one vouches for it.
      const behind = await shakeHands({ ...party(early), trust: before.trust }, { ...party(late), trust: before.trust });
      expect([behind.server, behind.client].map((side) => side?.kind)).to.deep.equal(['trusted', 'trusted']);
    });
  });
}
