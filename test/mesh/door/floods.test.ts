import { type ClientHttp2Stream, constants } from 'node:http2';

import { expect } from 'chai';

import { until } from '../../discovery/support/until.ts';
import { useHttp2Callers } from './support/http2-caller.ts';
import { ECHO, MESSAGE } from './support/open-door.ts';
import { useDoors } from './support/use-door.ts';

describe('floods at the door', () => {
  const doors = useDoors();
  const connect = useHttp2Callers(() => doors.current.port);
  const counts = () => doors.current.door.read();

  describe('of pings', () => {
    /** Pings that are answered, one at a time. */
    async function ping(peer: ReturnType<typeof connect>, times: number): Promise<void> {
      for (let time = 0; time < times && !peer.session.destroyed; time += 1) {
        await new Promise<void>((resolve) => {
          if (!peer.session.ping(() => resolve())) resolve();
        });
      }
    }
    const call = (peer: ReturnType<typeof connect>): Promise<void> =>
      new Promise((resolve) => {
        const stream = peer.begin(ECHO);
        stream.end(MESSAGE);
        stream.resume().on('close', resolve);
      });

    it('end with the words that gRPC clients know; others are served all the while', async () => {
      await doors.open();
      const caller = doors.current.caller();
      const peer = connect();
      let words = '';
      peer.session.on('goaway', (_code, _last, data) => (words ||= String(data)));
      await call(peer);
      await ping(peer, 3_000);
      await until('it is closed', () => peer.session.destroyed);
      expect([peer.goaway(), words]).to.deep.equal([constants.NGHTTP2_ENHANCE_YOUR_CALM, 'too_many_pings']);
      expect(counts()).to.include({ 'ping-flood': 1 });
      expect(await caller.echo()).to.equal('OK');
    });

    it('are answered without end when there is no limit', async () => {
      await doors.open({ pings: { burst: Infinity, perSecond: 0 } });
      const peer = connect();
      await call(peer);
      await ping(peer, 500);
      expect(peer.session.destroyed).to.equal(false);
    });

    it('are none when there are calls between them, as with clients that measure their connection', async () => {
      await doors.open({ pings: { burst: 5, perSecond: 0 } });
      const peer = connect();
      for (let time = 0; time < 50; time += 1) {
        await call(peer);
        await ping(peer, 3);
      }
      expect(peer.session.destroyed).to.equal(false);
      expect(counts()).to.include({ 'ping-flood': 0 });
    });
  });

  describe('of cancelled calls', () => {
    const BATCH = 50;
    const openCalls = (): number => doors.current.open.size;

    it('cost no other call of the same client: its connection is replaced in good time', async () => {
      await doors.open();
      const caller = doors.current.caller();
      for (let cancelled = 0; cancelled < 2_000; cancelled += BATCH) {
        const release = doors.current.hold();
        const over = new AbortController();
        const unwanted = Array.from({ length: BATCH }, () => caller.echo({ signal: over.signal }));
        const wanted = [caller.echo(), caller.echo()];
        await until('all have arrived', () => openCalls() === BATCH + 2);
        over.abort();
        await Promise.all(unwanted);
        await until('the cancelled ones are gone', () => openCalls() === 2);
        release();
        expect(await Promise.all(wanted)).to.deep.equal(['OK', 'OK']);
      }
      expect(counts()['many-resets']).to.be.within(2, 4);
      expect(counts()['protocol-error']).to.equal(0);
    });

    for (const [what, resets, ends] of [
      ['end a connection behind the calls on it', undefined, constants.NGHTTP2_NO_ERROR],
      ['break a connection with the calls on it, without that limit', { burst: Infinity, perSecond: 0 }, constants.NGHTTP2_INTERNAL_ERROR],
    ] as const) {
      it(what, async () => {
        await doors.open(resets && { resets });
        const release = doors.current.hold();
        const peer = connect();
        const begin = (): ClientHttp2Stream => peer.begin(ECHO).end(MESSAGE);
        const wanted = begin().resume();
        const isOver = (): boolean => peer.session.closed || peer.session.destroyed;
        while (!isOver()) {
          const unwanted = Array.from({ length: BATCH }, begin);
          await until('all have arrived', () => openCalls() === BATCH + 1 || isOver());
          for (const stream of unwanted) stream.close(constants.NGHTTP2_CANCEL);
          await until('they are gone', () => openCalls() <= 1 || isOver());
        }
        release();
        await until('the one that is wanted is over', () => wanted.closed);
        expect(wanted.rstCode).to.equal(ends);
      });
    }
  });

  describe('of resets', () => {
    const resets = { burst: 20, perSecond: 0 };

    it('count whatever code they are sent with, also the door\'s own', async () => {
      await doors.open({ resets });
      const peer = connect();
      const release = doors.current.hold();
      const calls = Array.from({ length: 21 }, () => peer.begin(ECHO).end(MESSAGE));
      await until('they have arrived', () => doors.current.open.size === 21);
      for (const call of calls) call.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      await until('the connection is closed', () => peer.goaway() !== undefined);
      release();
      expect(counts()).to.include({ 'many-resets': 1 });
    });

    it('count too when their calls were answered, and the answers not read', async () => {
      await doors.open({ resets });
      doors.current.answerWith(100_000);
      const peer = connect({ initialWindowSize: 0 });
      const calls = Array.from({ length: 21 }, () => peer.begin(ECHO).end(MESSAGE));
      await until('they are being answered', () => doors.current.served() === 21);
      expect(await doors.current.caller().echo()).to.equal('OK');
      for (const call of calls) call.close(constants.NGHTTP2_CANCEL);
      await until('the connection is closed', () => peer.goaway() !== undefined);
      expect(counts()).to.include({ 'many-resets': 1 });
    });

    it('do not count when the door sent them', async () => {
      await doors.open({ resets, maxHalfOpen: 10 });
      const peer = connect();
      const calls = Array.from({ length: 100 }, () => peer.begin(ECHO));
      await until('all but the allowed are cancelled', () => calls.filter((call) => call.closed).length === 90);
      expect([peer.goaway(), counts()['many-resets']]).to.deep.equal([undefined, 0]);
    });
  });

  it('of resets end with their connection, and others are served all the while', async () => {
    await doors.open();
    const caller = doors.current.caller();
    const peer = connect();
    for (let time = 0; time < 5_000 && !peer.session.closed && !peer.session.destroyed; time += 1) {
      peer.begin(ECHO).close(constants.NGHTTP2_CANCEL);
      if (time % 50 === 0) expect(await caller.echo()).to.equal('OK');
    }
    await until('it is closed', () => peer.session.destroyed);
    expect(await caller.echo()).to.equal('OK');
  });
});
