import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';

import { expect } from 'chai';

import { meshCredentials } from '#mesh';

import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity } from '../../discovery/support/held-identity.ts';
import { until } from '../../discovery/support/until.ts';
import { ECHO, MESSAGE } from './support/open-door.ts';
import { useDoors } from './support/use-door.ts';

/**
 * Ports for our end of a connection, below those that systems give out by themselves (Linux from 32,768, others from 49,152).
 * One that the system gives may be that of another program's connection as well, to elsewhere: then it cannot be bound anew.
 */
const OWN_PORTS = { first: 20_000, count: 10_000 };

describe('a peer that resets its connection and is back from the same port before the server has heard of it', () => {
  const doors = useDoors();
  const sockets: Socket[] = [];
  const sessions: ClientHttp2Session[] = [];
  let portsTried = process.pid;
  let ours: TestAuthority;
  before(async () => void (ours = await createTestAuthority()));
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const counts = () => doors.current.door.read();

  async function openSecured(): Promise<void> {
    const [user, order] = await Promise.all(['user', 'order'].map(async (service) => holdIdentity(service, await ours.leaf(service), ours.trust)));
    if (!user || !order) throw new Error('there is nobody to call');
    await doors.open({}, undefined, { as: { kind: 'mtls', identity: user, permissive: false } });
    // Whom it would be taken for: the service that has called last.
    expect(await doors.current.caller(meshCredentials(order, 'user')).echo()).to.equal('OK');
  }

  /** Connections that the server has taken or refused. */
  const seen = (): number => counts().accepted + counts()['too-many-of-peer'];

  async function connectFrom(localPort?: number): Promise<Socket> {
    const before = seen();
    const socket = connect({ host: '127.0.0.1', port: doors.current.port, ...(localPort !== undefined && { localPort }) });
    sockets.push(socket);
    // It is cut off, which is the point.
    socket.on('error', () => {});
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    await until('the server has seen it, or it failed', () => seen() > before || socket.destroyed);
    return socket;
  }

  /** From a port that nobody else has. */
  async function connectFromOwnPort(): Promise<Socket> {
    for (let tries = 0; tries < 100; tries += 1) {
      portsTried += 1;
      const socket = await connectFrom(OWN_PORTS.first + (portsTried % OWN_PORTS.count));
      if (!socket.destroyed) return socket;
    }
    throw new Error(`100 ports from ${OWN_PORTS.first} on are taken`);
  }

  /** Reset and connect in one turn of the loop, which is the server's too: it finds both at once, and takes what is new before it ends what was. */
  async function comeBack(before: Socket): Promise<Socket> {
    const { localPort } = before;
    before.resetAndDestroy();
    const socket = await connectFrom(localPort);
    // The end of the connection before is heard of in one of the next turns.
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect([socket.localPort, socket.destroyed]).to.deep.equal([localPort, false]);
    return socket;
  }

  /** The answer to a call, in words. */
  async function callOver(socket: Socket): Promise<string> {
    const session = connectHttp2('http://door', { createConnection: () => socket });
    sessions.push(session);
    session.on('error', () => {});
    const stream = session.request({ ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', () => {});
    let said = '';
    const note = (headers: Record<string, unknown>): void => {
      const { 'grpc-status': code, 'grpc-message': words } = headers;
      if (code !== undefined) said = decodeURIComponent(String(words || code));
    };
    stream.on('response', note).on('trailers', note);
    stream.resume().end(MESSAGE);
    await Promise.race([once(stream, 'close'), once(session, 'close')]).catch(() => {});
    return said;
  }

  it('is refused in plaintext where TLS is spoken, and not served as whoever has called last', async () => {
    await openSecured();
    const back = await comeBack(await connectFromOwnPort());
    expect(await callOver(back)).to.match(/^this port speaks TLS/);
    expect(doors.current.peers.map(({ service }) => service)).to.deep.equal(['order']);
  });

  it('is somebody new, whose calls are watched as all are', async () => {
    await doors.open();
    const back = await comeBack(await connectFromOwnPort());
    expect(await callOver(back)).to.equal('0');
    expect(doors.current.peers).to.have.lengthOf(1);
    expect(counts().connections).to.equal(1);
    doors.current.door.hurry();
    const closing = doors.current.door.close(60_000);
    await until('it is told to leave, and goes', () => counts().connections === 0);
    await closing;
  });

  it('takes one place of those for its address, as often as it comes', async () => {
    await doors.open({ maxConnectionsPerPeer: 2 });
    await connectFrom();
    let peer = await connectFromOwnPort();
    for (let time = 0; time < 5; time += 1) peer = await comeBack(peer);
    expect(counts()).to.include({ connections: 2, 'too-many-of-peer': 0 });
    const third = await connectFrom();
    await until('one more is refused', () => third.closed);
    for (const socket of sockets.splice(0)) socket.destroy();
    await until('all have left', () => counts().connections === 0);
    expect(await doors.current.caller().echo()).to.equal('OK');
  });
});
