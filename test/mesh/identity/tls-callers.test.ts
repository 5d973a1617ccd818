import { expect } from 'chai';

import { meshCredentials, type Peer } from '#mesh';

import type { ProvePeer } from '../../../mesh/server/door/prove-peer.ts';
import { CLUSTER, createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity, type HeldIdentity, type Shown } from '../../discovery/support/held-identity.ts';
import { until } from '../../discovery/support/until.ts';
import { useDoors } from '../door/support/use-door.ts';
import { believeEverybody } from './support/believe-everybody.ts';
import { makeOdd } from './support/odd-certificates.ts';
import { strangerWith } from './support/stranger.ts';

const ADDRESS = '127.0.0.1';
const ORDER = `spiffe://${CLUSTER}.consul/ns/default/dc/dc1/svc/order`;

describe('who calls a port with TLS', () => {
  const doors = useDoors();
  let ours: TestAuthority;
  let user: HeldIdentity;
  before(async () => void (ours = await createTestAuthority()));
  beforeEach(async () => void (user = holdIdentity('user', await ours.leaf('user'), ours.trust)));

  const open = (how: { readonly permissive?: boolean; readonly prove?: ProvePeer } = {}) => {
    const { permissive = false, prove } = how;
    return doors.open({}, undefined, { as: { kind: 'mtls', identity: user, permissive }, ...(prove && { tlsHooks: { prove } }) });
  };
  const callWith = (shown?: Shown): Promise<string> => doors.current.caller(strangerWith(ours.trust.roots, shown)).echo();
  const count = (name: 'bad-certificate' | 'plaintext' | 'tls-failed'): number => doors.current.door.read()[name];

  it('is the service of its certificate, one and the same for all calls of a connection', async () => {
    const { peers } = await open();
    const order = holdIdentity('order', await ours.leaf('order'), ours.trust);
    const caller = doors.current.caller(meshCredentials(order, 'user'));
    expect(await caller.echo()).to.equal('OK');
    expect(await caller.echo()).to.equal('OK');
    expect(peers).to.deep.equal([{ service: 'order', proof: 'certificate', address: ADDRESS } satisfies Peer, peers[0]]);
    expect(peers[0]).to.equal(peers[1]);
  });

  it('is nobody without a certificate', async () => {
    const { peers } = await open();
    expect(await callWith()).to.equal('OK');
    expect(peers).to.deep.equal([{ service: '', proof: 'none', address: ADDRESS }]);
  });

  it('is nobody in plaintext, where that is permitted', async () => {
    const { peers } = await open({ permissive: true });
    expect(await doors.current.caller().echo()).to.equal('OK');
    expect(await callWith(await ours.leaf('order'))).to.equal('OK');
    expect(peers.map(({ service, proof }) => [service, proof])).to.deep.equal([
      ['', 'none'],
      ['order', 'certificate'],
    ]);
  });

  it('is not heard in plaintext, where that is not permitted', async () => {
    await open();
    expect(await doors.current.caller().echo()).to.match(/^UNAUTHENTICATED: this port speaks TLS/);
    expect(count('plaintext')).to.be.at.least(1);
    expect(doors.current.served()).to.equal(0);
  });

  /** What each attacker shows, and what the log says of it. */
  const attackers: readonly (readonly [who: string, shows: () => Promise<Shown>, why: RegExp])[] = [
    ['a certificate of another authority, of the same name and trust domain', async () => (await createTestAuthority()).leaf('order'), /UNABLE_TO_VERIFY|UNABLE_TO_GET/],
    ['a certificate signed by itself', () => makeOdd({ uris: [ORDER] }), /SELF_SIGNED/],
    ['an expired certificate', () => makeOdd({ uris: [ORDER], issuer: ours, expiresMs: Date.now() - 1_000 }), /CERT_HAS_EXPIRED/],
    ['a certificate for servers alone', () => makeOdd({ uris: [ORDER], issuer: ours, usages: ['1.3.6.1.5.5.7.3.1'] }), /INVALID_PURPOSE|UNSUITABLE/],
    ['a certificate of another trust domain', () => makeOdd({ uris: [ORDER.replace('1111', '9999')], issuer: ours }), /of the trust domain 9999/],
    ['a certificate of an agent, not a service', () => makeOdd({ uris: [`spiffe://${CLUSTER}.consul/agent/client/dc/dc1/id/order`], issuer: ours }), /not that of a service/],
    ['a certificate with two identities', () => makeOdd({ uris: [ORDER.replace('order', 'cart'), ORDER], issuer: ours }), /exactly one identity/],
    ['a certificate without an identity', () => makeOdd({ uris: ['https://order.example'], issuer: ours }), /not that of a service/],
  ];
  for (const [who, shows, why] of attackers) {
    it(`is turned away with ${who}`, async () => {
      await open();
      expect(await callWith(await shows())).to.match(/^UNAVAILABLE/);
      expect([doors.current.served(), count('bad-certificate')]).to.deep.equal([0, 1]);
      const said = doors.current.log.filter((line) => 'why' in line);
      expect(said).to.have.lengthOf(1);
      expect(said[0]).to.include({ peer: ADDRESS });
      expect(String(said[0]?.['why'])).to.match(why);
      expect(await callWith(await ours.leaf('order'))).to.equal('OK');
    });

    it(`would be believed with ${who}, if nobody looked`, async () => {
      const { peers } = await open({ prove: believeEverybody });
      const shown = await shows();
      // It is told to leave at once when its certificate is over, so one call is all that is sure.
      expect(await callWith(shown)).to.equal('OK');
      expect(peers.map(({ service }) => service)).to.deep.equal(['order']);
    });
  }

  it('is told of in the log once, however often it comes, and counted each time', async () => {
    await open();
    const shown = await makeOdd({ uris: [ORDER] });
    for (let time = 0; time < 3; time += 1) expect(await callWith(shown)).to.match(/^UNAVAILABLE/);
    await until('all are counted', () => count('bad-certificate') >= 3);
    expect(doors.current.log.filter((line) => 'why' in line)).to.have.lengthOf(1);
  });
});
