import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { gzipSync } from 'node:zlib';

import { expect } from 'chai';

import { until } from '../../discovery/support/until.ts';
import { framed, rawCall } from '../support/raw-call.ts';
import { payloadBytes } from './support/echo-contract.ts';
import { type Http2Caller, useHttp2Callers } from './support/http2-caller.ts';
import { CHAT, ECHO, MESSAGE } from './support/open-door.ts';
import { useDoors } from './support/use-door.ts';

const BOMB = compressed(Buffer.alloc(64 * 1024 * 1024));
const SMALL = compressed(payloadBytes(10));

describe('compressed requests at the door', () => {
  const doors = useDoors();
  const connect = useHttp2Callers(() => doors.current.port);
  const counts = () => doors.current.door.read();
  const repeat = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const closed = (streams: readonly ClientHttp2Stream[]): number => streams.filter((stream) => stream.closed).length;
  const send = (peer: Http2Caller, message: Buffer): ClientHttp2Stream => peer.begin(ECHO, { 'grpc-encoding': 'gzip' }).end(message).resume();

  it('are refused with what is taken in their place', async () => {
    await doors.open();
    for (const encoding of ['gzip', 'deflate', 'snappy']) {
      const said = await rawCall(doors.current.port, ECHO, { 'grpc-encoding': encoding }, SMALL);
      expect([said['grpc-status'], said['grpc-message'], said['grpc-accept-encoding']]).to.deep.equal(['12', 'messages are taken uncompressed alone; send those', 'identity']);
    }
    const { 'grpc-status': code } = await rawCall(doors.current.port, ECHO, { 'grpc-encoding': 'identity' }, MESSAGE);
    expect([code, doors.current.served()]).to.deep.equal(['0', 1]);
  });

  it('are not inflated beyond the size of a message', async () => {
    await doors.open({ maxCompressed: 1 });
    const caller = doors.current.caller();
    const stream = send(connect(), BOMB);
    const [headers] = await once(stream, 'response');
    const trailers = headers['grpc-status'] ? headers : (await once(stream, 'trailers'))[0];
    expect([trailers['grpc-status'], decodeURIComponent(trailers['grpc-message'])]).to.deep.equal(['8', 'Received message that decompresses to a size larger than 8388608']);
    expect(await caller.echo()).to.equal('OK');
    expect(doors.current.served()).to.equal(1);
  });

  it('are inflated a few at once; the rest is refused as not begun', async () => {
    await doors.open({ maxCompressed: 4 });
    const peer = connect();
    const bombs = repeat(50, () => send(peer, BOMB));
    await until('all are over', () => closed(bombs) === 50);
    const refused = bombs.filter(({ rstCode }) => rstCode === constants.NGHTTP2_REFUSED_STREAM).length;
    expect(refused).to.be.within(1, 46);
    expect(counts()).to.include({ 'too-many-compressed': refused });
    expect(await doors.current.caller().echo()).to.equal('OK');
  });

  it('make room once they are answered, one after the other', async () => {
    await doors.open({ maxCompressed: 1 });
    const peer = connect();
    for (let call = 0; call < 5; call += 1) await once(send(peer, SMALL), 'close');
    expect(doors.current.served()).to.equal(5);
  });

  it('are all inflated without that limit', async () => {
    await doors.open({ maxCompressed: Infinity });
    const peer = connect();
    const calls = repeat(50, () => send(peer, SMALL));
    await until('all are over', () => closed(calls) === 50);
    expect(doors.current.served()).to.equal(50);
  });

  it('keep their place for as long as they may send more to inflate, also when answers have begun', async () => {
    await doors.open({ maxCompressed: 1 });
    const peer = connect();
    const talk = peer.begin(CHAT, { 'grpc-encoding': 'gzip' });
    talk.write(SMALL);
    await once(talk, 'data');
    const refused = send(peer, SMALL);
    await until('it is over', () => refused.closed);
    expect(refused.rstCode).to.equal(constants.NGHTTP2_REFUSED_STREAM);
    talk.end();
    await once(talk.resume(), 'close');
    const taken = send(peer, SMALL);
    await once(taken, 'close');
    expect(taken.rstCode).to.equal(constants.NGHTTP2_NO_ERROR);
  });
});

function compressed(bytes: Uint8Array): Buffer {
  const message = framed(gzipSync(bytes));
  message[0] = 1;
  return message;
}
