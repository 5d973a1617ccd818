import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';

import { expect } from 'chai';

import { DOOR_LIMITS } from '../../../mesh/server/door/limits.ts';
import { until } from '../../discovery/support/until.ts';
import { createHurriedClock } from './support/hurried-clock.ts';
import { GREETING, PING_FRAME, PREFACE, type RawPeer, useRawPeers } from './support/raw-peer.ts';
import { useDoors } from './support/use-door.ts';

describe('connections at the door', () => {
  const doors = useDoors();
  const connect = useRawPeers(() => doors.current.port);

  const connectAll = (count: number): Promise<RawPeer[]> => Promise.all(Array.from({ length: count }, connect));
  const closed = (peers: readonly RawPeer[]): number => peers.filter((peer) => peer.isClosed()).length;
  const counts = () => doors.current.door.read();

  it('are refused beyond the limit of all, and come in again when others have left', async () => {
    await doors.open({ maxConnections: 10 });
    const peers = await connectAll(15);
    await until('five were refused', () => closed(peers) === 5);
    expect(counts()).to.include({ connections: 10, 'too-many-connections': 5 });
    peers.forEach((peer) => peer.socket.destroy());
    await until('the others have left', () => counts().connections === 0);
    expect(await doors.current.caller().echo()).to.equal('OK');
  });

  it('are refused beyond the limit of one address', async () => {
    await doors.open({ maxConnectionsPerPeer: 10 });
    const peers = await connectAll(15);
    await until('five were refused', () => closed(peers) === 5);
    expect(counts()).to.include({ connections: 10, 'too-many-of-peer': 5 });
    peers.forEach((peer) => peer.socket.destroy());
    await until('the others have left', () => counts().connections === 0);
    expect(await doors.current.caller().echo()).to.equal('OK');
  });

  it('all come in without these limits', async () => {
    await doors.open({ maxConnections: Infinity, maxConnectionsPerPeer: Infinity });
    await connectAll(300);
    await until('all were let in', () => counts().connections === 300);
  });

  describe('that never say a word', () => {
    const SILENT = 500;

    it('are closed after the time for a handshake; a caller beside them is served, and their memory comes back', async () => {
      await doors.open({}, createHurriedClock(20));
      const caller = doors.current.caller();
      expect(await caller.echo()).to.equal('OK');
      const before = process.memoryUsage().rss;
      const peers = await connectAll(SILENT);
      await until('they are there', () => counts().connections === SILENT + 1);
      expect(await caller.echo()).to.equal('OK');
      expect(process.memoryUsage().rss - before).to.be.below(50 * 1024 * 1024);
      await until('they are closed', () => closed(peers) === SILENT);
      expect(counts()).to.include({ connections: 1, 'slow-handshake': SILENT });
      expect(await caller.echo()).to.equal('OK');
      expect(doors.current.log.filter(({ kind }) => kind === 'slow-handshake')).to.have.length.below(4);
    });

    it('stay for ever without that limit', async () => {
      const clock = createHurriedClock(100);
      await doors.open({ handshakeMs: Infinity }, clock);
      const peers = await connectAll(5);
      const began = clock.now();
      await until('the default has passed twice', () => clock.now() - began > 2 * DOOR_LIMITS.handshakeMs);
      expect(closed(peers)).to.equal(0);
    });
  });

  it('are closed when they begin and do not go on', async () => {
    await doors.open({}, createHurriedClock(10));
    const peers = await connectAll(3);
    peers[0]?.send(PREFACE.subarray(0, 10));
    peers[1]?.send(PREFACE);
    peers[2]?.send(GREETING);
    await until('two are closed', () => closed(peers) === 2);
    expect(peers.map((peer) => peer.isClosed())).to.deep.equal([true, true, false]);
    expect(counts()).to.include({ 'slow-handshake': 2 });
  });

  it('may send the preface byte by byte', async () => {
    await doors.open({ handshakeMs: Infinity });
    const [peer] = await connectAll(1);
    for (const byte of GREETING) {
      peer?.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await until('the server has answered with its settings', () => (peer?.heard().length ?? 0) >= 9);
    expect(peer?.isClosed()).to.equal(false);
  });

  describe('of peers that speak something else', () => {
    const strangers: readonly [name: string, kind: 'http1' | 'tls' | 'noise' | 'protocol-error', bytes: string | Buffer][] = [
      ['HTTP/1', 'http1', 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'],
      ['TLS', 'tls', Buffer.from('16030102000100', 'hex')],
      ['bytes', 'noise', Buffer.from([0, 1, 2, 3])],
      ['half a preface and bytes', 'noise', Buffer.concat([PREFACE.subarray(0, 20), Buffer.from('garbage')])],
      ['a preface and bytes', 'protocol-error', Buffer.concat([PREFACE, Buffer.alloc(100, 0xff)])],
    ];
    for (const [name, kind, bytes] of strangers) {
      it(`are closed at once: ${name}`, async () => {
        await doors.open({ handshakeMs: Infinity });
        const caller = doors.current.caller();
        expect(await caller.echo()).to.equal('OK');
        const [peer] = await connectAll(1);
        peer?.send(bytes);
        await until('it is closed', () => peer?.isClosed() ?? false);
        expect(counts()).to.include({ [kind]: 1 });
        if (kind === 'http1') expect(peer?.heard()).to.match(/^HTTP\/1\.1 505 /).and.to.contain('grpcurl -plaintext');
        expect(await caller.echo()).to.equal('OK');
      });
    }
  });

  it('are closed when they send pings for ever and make no call', async () => {
    await doors.open({ maxBytesBeforeCall: 8 * 1024, handshakeMs: Infinity }, createHurriedClock(20));
    const [peer] = await connectAll(1);
    peer?.send(GREETING);
    const pings = Buffer.concat(Array.from({ length: 100 }, () => PING_FRAME));
    await until('it is closed', () => {
      peer?.send(pings);
      return peer?.isClosed() ?? false;
    });
    expect(counts()).to.include({ 'too-much-before-call': 1 });
  });

  it('are given GOAWAY when they are idle, and when they are old; calls go on over new ones', async () => {
    await doors.open({ maxIdleMs: 60, maxAgeMs: Infinity });
    const idle = connectHttp2(`http://127.0.0.1:${doors.current.port}`);
    const [code] = await once(idle, 'goaway');
    expect(code).to.equal(0);
    await doors.open({ maxIdleMs: Infinity, maxAgeMs: 60 });
    const caller = doors.current.caller();
    await until('it has come over a third connection', async () => {
      expect(await caller.echo()).to.equal('OK');
      return counts().accepted >= 3;
    });
  });

  it('stay when neither idle time nor age is limited', async () => {
    await doors.open({ maxIdleMs: Infinity, maxAgeMs: Infinity });
    const caller = doors.current.caller();
    for (let call = 0; call < 50; call += 1) expect(await caller.echo()).to.equal('OK');
    expect(counts().accepted).to.equal(1);
  });
});
