import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';

import { expect } from 'chai';

import { until } from '../../discovery/support/until.ts';
import { rawCall } from '../support/raw-call.ts';
import { useHttp2Callers } from './support/http2-caller.ts';
import { createHurriedClock } from './support/hurried-clock.ts';
import { CHAT, ECHO, MESSAGE } from './support/open-door.ts';
import { useDoors } from './support/use-door.ts';

const MB = 1024 * 1024;

describe('calls at the door', () => {
  const doors = useDoors();
  const connect = useHttp2Callers(() => doors.current.port);
  const counts = () => doors.current.door.read();
  const repeat = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const closed = (streams: readonly ClientHttp2Stream[]): number => streams.filter((stream) => stream.closed).length;

  describe('with large metadata', () => {
    const headers = Object.fromEntries(repeat(6, () => 'v'.repeat(10_000)).map((value, index) => [`x-large-${index}`, value]));

    it('are refused with a sentence, and reach no handler', async () => {
      await doors.open();
      const caller = doors.current.caller();
      expect(await caller.echo({ headers })).to.match(/^RESOURCE_EXHAUSTED: the metadata has 60\d\d\d bytes, at most 16384 are taken; send less of it$/);
      expect(await caller.echo()).to.equal('OK');
      expect(doors.current.served()).to.equal(1);
      expect(counts()).to.include({ 'metadata-too-large': 1, accepted: 1 });
    });

    it('are refused too when nobody knows their method, to which grpc-js would respond a second time, and throw', async () => {
      await doors.open();
      for (const path of ['/test.Door/Unknown', ECHO]) {
        const stream = connect().begin(path, { ...headers, 'content-type': path === ECHO ? 'text/plain' : 'application/grpc' });
        const [answer] = await once(stream.resume(), 'response');
        expect(answer['grpc-status']).to.equal('8');
      }
      expect(await doors.current.caller().echo()).to.equal('OK');
    });

    it('are served without that limit', async () => {
      await doors.open({ maxMetadataBytes: Infinity });
      expect(await doors.current.caller().echo({ headers })).to.equal('OK');
    });

    it('harm nobody however large they are', async () => {
      await doors.open();
      const caller = doors.current.caller();
      const many = Object.fromEntries(repeat(500, () => 'v').map((value, index) => [`x-many-${index}`, value]));
      for (const huge of [{ 'x-huge': 'v'.repeat(MB) }, many]) {
        expect(await caller.echo({ headers: huge })).not.to.equal('OK');
        expect(await caller.echo()).to.equal('OK');
      }
      expect(doors.current.served()).to.equal(2);
    });
  });

  describe('whose requests do not come to an end', () => {
    it('are cancelled in time, which frees their place; those in a handler are left alone', async () => {
      await doors.open({ maxStreams: 20 }, createHurriedClock(50));
      const release = doors.current.hold();
      const peer = connect();
      const inHandler = peer.begin(ECHO);
      inHandler.end(MESSAGE);
      const halfOpen = repeat(19, () => peer.begin(ECHO));
      await until('they are cancelled', () => closed(halfOpen) === 19);
      expect(halfOpen.map(({ rstCode }) => rstCode)).to.deep.equal(repeat(19, () => constants.NGHTTP2_ENHANCE_YOUR_CALM));
      expect(counts()).to.include({ 'half-open': 19 });
      expect(inHandler.closed).to.equal(false);
      release();
      inHandler.resume();
      await once(inHandler, 'close');
      expect(inHandler.rstCode).to.equal(constants.NGHTTP2_NO_ERROR);
    });

    it('take up all places of their connection without that limit', async () => {
      await doors.open({ maxStreams: 20, requestMs: Infinity });
      const peer = connect();
      await once(peer.session, 'remoteSettings');
      repeat(20, () => peer.begin(ECHO));
      const one = peer.begin(ECHO);
      one.end(MESSAGE);
      one.resume();
      await doors.current.caller().echo();
      expect(doors.current.served()).to.equal(1);
      expect(one.closed).to.equal(false);
    });

    it('are cancelled at once when there are too many, oldest first, and others are served all the while', async () => {
      await doors.open({ requestMs: Infinity });
      const caller = doors.current.caller();
      const halfOpen = repeat(5, () => connect()).flatMap((peer) => repeat(1_000, () => peer.begin(ECHO)));
      await until('all but the allowed are cancelled', async () => {
        expect(await caller.echo()).to.equal('OK');
        return closed(halfOpen) >= 4_000;
      });
      expect(await caller.echo()).to.equal('OK');
      expect(counts()['half-open']).to.be.within(4_000, 4_001);
    });

    it('cost the connection that has most of them, and never that of another peer, however old its own is', async () => {
      await doors.open({ requestMs: Infinity, maxHalfOpen: 100 });
      const innocent = connect().begin(ECHO);
      expect(await doors.current.caller().echo()).to.equal('OK');
      const halfOpen = repeat(3, () => connect()).flatMap((peer) => repeat(200, () => peer.begin(ECHO)));
      await until('all but the allowed are cancelled', () => closed(halfOpen) >= 501);
      innocent.end(MESSAGE);
      innocent.resume();
      await once(innocent, 'close');
      expect(innocent.rstCode).to.equal(constants.NGHTTP2_NO_ERROR);
    });

    it('are cancelled oldest first where no connection has more than another', async () => {
      await doors.open({ requestMs: Infinity, maxHalfOpen: 5 });
      const halfOpen: ClientHttp2Stream[] = [];
      for (let peer = 0; peer < 8; peer += 1) {
        const { session, begin } = connect();
        halfOpen.push(begin(ECHO));
        await once(session, 'remoteSettings');
        expect(await doors.current.caller().echo()).to.equal('OK');
      }
      await until('all but the allowed are cancelled', () => closed(halfOpen) === 3);
      expect(halfOpen.map((stream) => stream.closed)).to.deep.equal([...repeat(3, () => true), ...repeat(5, () => false)]);
    });

    it('are told from those that come all at once and do end', async () => {
      await doors.open({ maxHalfOpen: 10 });
      const peer = connect();
      const calls = repeat(500, () => peer.begin(ECHO).end(MESSAGE).resume());
      await until('all are answered', () => closed(calls) === 500);
      expect(new Set(calls.map(({ rstCode }) => rstCode))).to.deep.equal(new Set([constants.NGHTTP2_NO_ERROR]));
    });

    it('are as many as their peers like without that limit', async () => {
      await doors.open({ requestMs: Infinity, maxHalfOpen: Infinity });
      const peer = connect();
      const halfOpen = repeat(1_500, () => peer.begin(ECHO));
      await until('they are there', async () => {
        expect(await doors.current.caller().echo()).to.equal('OK');
        return halfOpen.every(({ pending }) => !pending);
      });
      expect(closed(halfOpen)).to.equal(0);
      expect(counts()).to.include({ 'half-open': 0 });
    });

    it('need only begin when their method takes a stream', async () => {
      await doors.open({}, createHurriedClock(50));
      const peer = connect();
      const [talking, silent] = [peer.begin(CHAT), peer.begin(CHAT)];
      talking.write(MESSAGE);
      talking.resume();
      await until('the silent one is cancelled', () => silent.closed);
      expect(talking.closed).to.equal(false);
    });
  });

  describe('with a timeout', () => {
    const ask = (timeout: string) => rawCall(doors.current.port, ECHO, { 'grpc-timeout': timeout }, MESSAGE);

    it('of more than a timer holds are served: grpc-js alone takes it for one that has passed', async () => {
      await doors.open();
      for (const timeout of ['597H', '99999999H', '35792M', '2147484S', '99999999m']) expect((await ask(timeout))['grpc-status']).to.equal('0', timeout);
    });

    it('that is none are refused with a sentence, and reach no handler', async () => {
      await doors.open();
      for (const timeout of ['', '5', 'S', '123456789S', 'in5S', '5 S', '-5S', '5s', '5S, 5S']) {
        const { 'grpc-status': code, 'grpc-message': sentence } = await ask(timeout);
        expect([code, sentence]).to.deep.equal(['13', 'grpc-timeout is at most eight digits and one of H M S m u n, such as 500m; send that'], timeout);
      }
      expect(doors.current.served()).to.equal(0);
    });
  });

  it('find a wide window for their connection, unless it is to be left as it is', async () => {
    for (const [windowBytes, expected] of [
      [4 * MB, 4 * MB],
      [Infinity, 65_535],
    ] as const) {
      await doors.open({ windowBytes });
      const peer = connect();
      const stream = peer.begin(ECHO);
      stream.end(MESSAGE);
      stream.resume();
      await once(stream, 'close');
      expect(peer.session.state.remoteWindowSize).to.be.within(expected - MESSAGE.length, expected);
    }
  });
});
