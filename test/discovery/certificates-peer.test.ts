import { createPrivateKey, webcrypto, type X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { peerService, readChain, type TrustBundle } from '#discovery';

import { EC_P256, ECDSA_SHA256, loadX509 } from '../../discovery/certificates/x509.ts';
import { readSpiffeId } from '../../discovery/certificates/spiffe-id.ts';
import { uriNames } from '../../discovery/certificates/uri-names.ts';
import { CLUSTER, createTestAuthority, type TestAuthority } from './support/authority.ts';
import { shakeHands, type TlsParty } from './support/tls-pair.ts';

const HOUR_MS = 3_600_000;
const ID = `spiffe://${CLUSTER}.consul/ns/default/dc/dc1/svc/order`;

describe('who is at the other end of a connection', () => {
  let ours: TestAuthority;
  let foreign: TestAuthority;
  let order: readonly X509Certificate[];
  before(async () => {
    ours = await createTestAuthority();
    foreign = await createTestAuthority();
    order = readChain((await ours.leaf('order')).chainPem);
  });

  const verdict = (chain: readonly X509Certificate[], trust: TrustBundle = ours.trust, nowMs = Date.now()): string => {
    const judged = peerService(chain, trust, nowMs);
    return judged.kind === 'trusted' ? judged.id.service : judged.why;
  };

  /** A certificate that our root signs, with whatever is odd about it. */
  async function odd(names: readonly { type: 'url' | 'dns'; value: string }[], { isAuthority = false, usages = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] } = {}): Promise<readonly X509Certificate[]> {
    const x509 = await loadX509();
    const keys = await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      issuer: new x509.X509Certificate(ours.root.certPem).subject,
      publicKey: keys.publicKey,
      signingKey: createPrivateKey(ours.root.keyPem ?? '').toCryptoKey(EC_P256, false, ['sign']),
      signingAlgorithm: ECDSA_SHA256,
      extensions: [
        new x509.SubjectAlternativeNameExtension([...names]),
        new x509.BasicConstraintsExtension(isAuthority),
        ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : []),
      ],
    });
    return readChain(certificate.toString('pem'));
  }
  const url = (value: string) => ({ type: 'url' as const, value });

  it('is the service in the identity of a certificate behind which a root of the mesh stands', () => {
    expect(peerService(order, ours.trust, Date.now())).to.deep.equal({
      kind: 'trusted',
      id: { trustDomain: `${CLUSTER}.consul`, datacenter: 'dc1', service: 'order' },
    });
  });

  // Each is believed once the guard that refuses it is taken away: by the root it lacks, the time it is of, the domain it names.
  it('is nobody with a certificate of another authority, of the same name and trust domain', () => {
    const attacker = { ...ours.trust, roots: foreign.trust.roots };
    expect(verdict(order, attacker)).to.contain('no root of this mesh');
    expect(verdict(order, { ...attacker, roots: [...attacker.roots, ...ours.trust.roots] })).to.equal('order');
  });

  it('is nobody before and after the lifetime of its certificate, or of its root', () => {
    expect(verdict(order, ours.trust, Date.now() + 2 * HOUR_MS)).to.contain('expired');
    expect(verdict(order, ours.trust, Date.now() - HOUR_MS)).to.contain('not valid before');
    expect(verdict(order, ours.trust, Date.now() + HOUR_MS - 120_000)).to.equal('order');
  });

  it('is nobody with a certificate of another trust domain, also where its root is believed', async () => {
    const elsewhere = await createTestAuthority('99999999-2222-3333-4444-555555555555');
    const chain = readChain((await elsewhere.leaf('order')).chainPem);
    const both = [...ours.trust.roots, ...elsewhere.trust.roots];
    expect(verdict(chain, { ...ours.trust, roots: both })).to.contain('of the trust domain 99999999');
    expect(verdict(chain, { ...elsewhere.trust, roots: both })).to.equal('order');
  });

  it('is nobody without a certificate, with its root\'s, or with more than can be a chain', () => {
    expect(verdict([])).to.contain('no certificate');
    expect(verdict(readChain(ours.root.certPem))).to.contain('of an authority');
    expect(verdict([...order, ...order, ...order, ...order, ...order])).to.contain('5 certificates');
  });

  it('is nobody when an authority was made by a service with its own leaf', async () => {
    const x509 = await loadX509();
    const leaf = await ours.leaf('order');
    const keys = await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify']);
    const forged = await x509.X509CertificateGenerator.create({
      issuer: new x509.X509Certificate(leaf.chainPem).subject,
      publicKey: keys.publicKey,
      signingKey: createPrivateKey(leaf.keyPem).toCryptoKey(EC_P256, false, ['sign']),
      signingAlgorithm: ECDSA_SHA256,
      extensions: [new x509.SubjectAlternativeNameExtension([url(ID.replace('order', 'payment'))])],
    });
    expect(verdict([...readChain(forged.toString('pem')), ...readChain(leaf.chainPem)])).to.contain('no root of this mesh');
  });

  const names: readonly [what: string, names: readonly { type: 'url' | 'dns'; value: string }[], says: string][] = [
    ['one plain identity', [url(ID)], 'order'],
    ['host names beside it', [url(ID), { type: 'dns', value: 'payment' }], 'order'],
    ['two identities', [url(ID), url(ID.replace('order', 'payment'))], 'exactly one identity'],
    ['a host name in place of it', [{ type: 'dns', value: 'order' }], 'exactly one identity'],
    ['a name that looks like two', [{ type: 'dns', value: `x, URI:${ID}` }], 'exactly one identity'],
    ['an identity that hides another', [url(`${ID}, URI:${ID.replace('order', 'payment')}`)], 'exactly one identity'],
    ['the identity of an agent', [url(`spiffe://${CLUSTER}.consul/agent/client/dc/dc1/id/a`)], 'not that of a service'],
    ['the identity of the authority', [url(`spiffe://${CLUSTER}.consul`)], 'not that of a service'],
    ['another namespace', [url(ID.replace('default', 'other'))], 'not that of a service'],
    ['an escaped name', [url(ID.replace('order', '%6frder'))], 'not that of a service'],
    ['a path behind it', [url(`${ID}/x`)], 'not that of a service'],
    ['a query behind it', [url(`${ID}?x`)], 'not that of a service'],
    ['another scheme', [url(ID.replace('spiffe', 'https'))], 'not that of a service'],
    ['a user before the trust domain', [url(ID.replace('//', '//x@'))], 'not that of a service'],
  ];
  for (const [what, sans, says] of names) {
    it(`reads ${what}: ${says}`, async () => {
      expect(verdict(await odd(sans))).to.contain(says);
    });
  }

  it('is nobody with a certificate made to sign others, or for one end only', async () => {
    expect(verdict(await odd([url(ID)], { isAuthority: true }))).to.contain('of an authority');
    expect(verdict(await odd([url(ID)], { usages: ['1.3.6.1.5.5.7.3.1'] }))).to.contain('both ends');
    expect(verdict(await odd([url(ID)], { usages: [] }))).to.contain('both ends');
  });

  it('is believed across a rotation, by who knows the new root and by who knows the old one only', async () => {
    const next = await ours.rotated();
    const after = readChain((await next.leaf('order')).chainPem);
    expect(after).to.have.length(2);
    expect(verdict(after, next.trust)).to.equal('order');
    expect(verdict(after, ours.trust)).to.equal('order');
    expect(verdict(order, { ...next.trust, roots: [...next.trust.roots, ...ours.trust.roots] })).to.equal('order');
    // A stolen leaf, once its root is gone.
    expect(verdict(order, next.trust)).to.contain('no root of this mesh');
    // A server is shown the leaf alone, and has TLS's word for the rest: for the chain, not for the time or the name.
    expect(peerService(after.slice(0, 1), ours.trust, Date.now(), true)).to.have.nested.property('id.service', 'order');
    expect(peerService(after.slice(0, 1), ours.trust, Date.now() + 2 * HOUR_MS, true)).to.have.property('why').that.contains('expired');
    expect(peerService(after.slice(0, 1), { ...ours.trust, trustDomain: 'x' }, Date.now(), true)).to.have.property('why').that.contains('trust domain');
    // Without what vouches for the new root the old one does not help.
    expect(verdict(after.slice(0, 1), ours.trust)).to.contain('no root of this mesh');
  });

  it('shakes hands through TLS, and TLS refuses a chain that is none of the mesh', async () => {
    const party = async (authority: TestAuthority, service: string, trust: TrustBundle): Promise<TlsParty> => {
      const { chainPem, keyPem } = await authority.leaf(service);
      return { chainPem, keyPem, trust };
    };
    const server = await party(ours, 'payment', ours.trust);
    const client = await party(ours, 'order', ours.trust);
    const attacker = await party(foreign, 'order', ours.trust);
    const good = await shakeHands(server, client);
    expect([good.server, good.client].map((side) => side?.kind === 'trusted' && side.id.service)).to.deep.equal(['payment', 'order']);
    expect((await shakeHands(server, attacker)).client, 'TLS lets it in').to.equal(undefined);
    expect((await shakeHands(attacker, client)).server, 'TLS connects to it').to.equal(undefined);
    // With TLS's own check switched off it gets in, and is still known for what it is.
    const lax = await shakeHands(server, attacker, false);
    expect(lax.client).to.have.property('kind', 'refused');
  });

  it('reads names as Node writes them', () => {
    expect(uriNames({ subjectAltName: 'DNS:order, URI:spiffe://a, IP Address:127.0.0.1' })).to.deep.equal(['spiffe://a']);
    expect(uriNames({ subjectAltName: undefined as unknown as string })).to.deep.equal([]);
    expect(uriNames({ subjectAltName: 'URI:spiffe://a, DNS:"x\\u002c URI:spiffe://b"' })).to.equal(undefined);
    expect(readSpiffeId(ID.toUpperCase())).to.equal(undefined);
  });
});
