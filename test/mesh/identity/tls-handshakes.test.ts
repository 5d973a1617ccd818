import { once } from 'node:events';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { expect } from 'chai';

import { MeshError, silentLog, systemClock } from '#kit';

import type { DoorLimits } from '../../../mesh/server/door/limits.ts';
import type { Notice } from '../../../mesh/server/door/notices.ts';
import { createGrpcServer } from '../../../mesh/server/grpc-server.ts';
import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity, type HeldIdentity } from '../../discovery/support/held-identity.ts';
import { until } from '../../discovery/support/until.ts';
import { createHurriedClock } from '../door/support/hurried-clock.ts';
import { GREETING, PING_FRAME, useRawPeers } from '../door/support/raw-peer.ts';
import { useDoors } from '../door/support/use-door.ts';
import { connectByHand } from './support/by-hand.ts';
import { strangerWith } from './support/stranger.ts';

/** A record that says that a ClientHello of 512 bytes follows, and its first byte. */
const HALF_A_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);

describe('the way in to a port with TLS', () => {
  const doors = useDoors();
  const connect = useRawPeers(() => doors.current.port);
  const secured: TLSSocket[] = [];
  let ours: TestAuthority;
  let user: HeldIdentity;
  before(async () => void (ours = await createTestAuthority()));
  afterEach(() => secured.splice(0).forEach((socket) => socket.destroy()));

  async function open(limits: Partial<DoorLimits> = {}): Promise<void> {
    user = holdIdentity('user', await ours.leaf('user'), ours.trust);
    await doors.open(limits, createHurriedClock(10), { as: { kind: 'mtls', identity: user, permissive: false } });
  }
  const count = (name: Notice): number => doors.current.door.read()[name];
  const works = (): Promise<string> => doors.current.caller(strangerWith(ours.trust.roots)).echo();

  async function secure(options: ConnectionOptions = { ALPNProtocols: ['h2'] }): Promise<{ readonly socket: TLSSocket; heard(): string }> {
    const socket = connectTls({ host: '127.0.0.1', port: doors.current.port, ca: [...ours.trust.roots], checkServerIdentity: () => undefined, ...options });
    secured.push(socket);
    let heard = '';
    socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
    // It is cut off, which is the point.
    socket.on('error', () => {});
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]).catch(() => {});
    return { socket, heard: () => heard };
  }

  for (const isGuarded of [true, false]) {
    it(`${isGuarded ? 'ends' : 'would be held open, without a limit, by'} handshakes that do not come to an end`, async () => {
      await open({ handshakeMs: isGuarded ? 1_000 : Infinity });
      const peers = await Promise.all([connect(), connect(), connect()]);
      peers[0]?.send(Buffer.from([0x16]));
      peers[1]?.send(HALF_A_HELLO);
      const closed = () => peers.filter((peer) => peer.isClosed()).length;
      if (isGuarded) await until('all are cut off', () => closed() === 3);
      expect(await works()).to.equal('OK');
      expect([closed(), count('slow-handshake')]).to.deep.equal(isGuarded ? [3, 3] : [0, 0]);
    });
  }

  it('ends for who is silent behind its handshake', async () => {
    await open({ handshakeMs: 1_000 });
    const { socket } = await secure();
    await until('it is cut off', () => socket.closed);
    expect(count('slow-handshake')).to.equal(1);
  });

  it('counts connections from their first byte on', async () => {
    await open({ maxConnectionsPerPeer: 2 });
    await Promise.all([connect(), connect()]);
    const { socket } = await secure();
    await until('it is refused', () => socket.closed);
    expect(count('too-many-of-peer')).to.equal(1);
  });

  it('tells those who speak plaintext what it wants, in their language', async () => {
    await open();
    const browser = await connect();
    browser.send('GET / HTTP/1.1\r\nhost: door\r\n\r\n');
    expect(await doors.current.caller().echo()).to.match(/^UNAUTHENTICATED: this port speaks TLS, and takes no plaintext/);
    await until('both were told', () => browser.isClosed() && doors.current.door.read().connections === 0);
    expect(browser.heard()).to.match(/^HTTP\/1\.1 505 .*over HTTP\/2 and TLS/s);
    expect([count('http1'), count('plaintext'), doors.current.served()]).to.deep.equal([1, 1, 0]);
  });

  it('tells those who speak HTTP/1 within TLS so, too', async () => {
    await open();
    const { socket, heard } = await secure({});
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await until('it was told', () => socket.closed);
    expect(heard()).to.match(/^HTTP\/1\.1 505 .*over HTTP\/2 and TLS/s);
  });

  const misfits: readonly (readonly [what: string, options: ConnectionOptions])[] = [
    ['an older TLS', { maxVersion: 'TLSv1.2' }],
    ['another protocol within TLS', { ALPNProtocols: ['http/1.1'] }],
  ];
  for (const [what, options] of misfits) {
    it(`is shut for who speaks ${what}`, async () => {
      await open();
      const { socket } = await secure(options);
      await until('it is cut off', () => socket.closed);
      expect(count('tls-failed')).to.equal(1);
    });
  }

  it('is shut for noise, in place of TLS and within it, and open for others', async () => {
    await open();
    const noisy = await connect();
    noisy.send(Buffer.concat([HALF_A_HELLO, Buffer.alloc(600, 0xff)]));
    const { socket } = await secure();
    socket.write(Buffer.alloc(100, 0x16));
    await until('both are cut off', () => noisy.isClosed() && socket.closed);
    expect(count('tls-failed')).to.equal(1);
    expect(await works()).to.equal('OK');
  });

  it('keeps the limits of what a connection may send before its first call', async () => {
    await open();
    const { socket } = await secure();
    socket.write(Buffer.concat([GREETING, ...Array.from({ length: 8_000 }, () => PING_FRAME)]));
    await until('it is cut off', () => socket.closed);
    expect(count('too-much-before-call')).to.equal(1);
  });

  it('keeps the limit of pings, and takes more of them between calls', async () => {
    await open({ pings: { burst: 5, perSecond: 1 } });
    const caller = await connectByHand({ port: doors.current.port, roots: ours.trust.roots, shown: await ours.leaf('order') });
    for (let round = 0; round < 4; round += 1) {
      expect(await caller.call()).to.equal(true);
      caller.ping(4);
    }
    expect(await caller.call()).to.equal(true);
    caller.ping(9);
    await until('it is cut off', caller.isClosed);
    expect(count('ping-flood')).to.equal(1);
  });

  it('follows no identity when its port is taken', async () => {
    await open();
    const other = holdIdentity('user', await ours.leaf('user'), ours.trust);
    const { door } = createGrpcServer({ clock: systemClock, log: silentLog, as: { kind: 'mtls', identity: other, permissive: false } });
    const refused = await door.listen('127.0.0.1', doors.current.port).catch((thrown: unknown) => MeshError.from(thrown));
    expect(refused).to.include({ reason: 'PORT_IN_USE' });
    expect(other.listeners()).to.equal(0);
  });

  it('follows its identity no longer once it is closed', async () => {
    await open();
    const { door } = doors.current;
    expect(user.listeners()).to.equal(1);
    door.hurry();
    await door.close(0);
    expect(user.listeners()).to.equal(0);
  });
});
