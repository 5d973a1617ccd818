import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';

import { expect } from 'chai';

import { until } from '../../discovery/support/until.ts';
import { type Http2Caller, useHttp2Callers } from './support/http2-caller.ts';
import { createHurriedClock } from './support/hurried-clock.ts';
import { ECHO, MESSAGE } from './support/open-door.ts';
import { useDoors } from './support/use-door.ts';

const MB = 1024 * 1024;

describe('answers that nobody reads', () => {
  const doors = useDoors();
  const connect = useHttp2Callers(() => doors.current.port);
  const counts = () => doors.current.door.read();
  const ask = (peer: Http2Caller): ClientHttp2Stream => peer.begin(ECHO).end(MESSAGE).resume();
  /** Asks `count` times for 1 MB, and lets nothing of it in. */
  async function askInVain(count: number): Promise<{ readonly peer: Http2Caller; readonly calls: readonly ClientHttp2Stream[] }> {
    const before = doors.current.served();
    const peer = connect({ initialWindowSize: 0 });
    const calls = Array.from({ length: count }, () => ask(peer));
    await until('they are being answered', () => doors.current.served() === before + count);
    return { peer, calls };
  }
  const openAndAnswer = async (...given: Parameters<typeof doors.open>): Promise<void> => void (await doors.open(...given)).answerWith(MB);

  it('are reset in time, and others on their connection are not', async () => {
    await openAndAnswer({}, createHurriedClock(100));
    const { peer, calls } = await askInVain(3);
    await until('they are reset', () => calls.every((call) => call.closed));
    expect(calls.map(({ rstCode }) => rstCode)).to.deep.equal(calls.map(() => constants.NGHTTP2_ENHANCE_YOUR_CALM));
    expect(counts()).to.include({ 'unread-answers': 3, 'many-resets': 0 });
    peer.session.settings({ initialWindowSize: 2 * MB });
    const read = ask(peer);
    await once(read, 'close');
    expect(read.rstCode).to.equal(constants.NGHTTP2_NO_ERROR);
  });

  it('break their connection off when they are too much for it; who reads is served all the while', async () => {
    await openAndAnswer({ maxUnsentBytes: 10 * MB }, createHurriedClock(20));
    const caller = doors.current.caller();
    const within = await askInVain(9);
    const { peer } = await askInVain(12);
    await until('it is broken off', async () => {
      expect(await caller.echo()).to.equal('OK');
      return peer.session.destroyed;
    });
    expect(peer.goaway()).to.equal(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(counts()).to.include({ 'too-much-unread': 1 });
    expect(within.peer.session.destroyed).to.equal(false);
  });

  it('break off the connection that has most of them when they are too much for all together', async () => {
    await openAndAnswer({ maxUnsentTotalBytes: 20 * MB }, createHurriedClock(20));
    const [few, many] = [await askInVain(8), await askInVain(13)];
    await until('it is broken off', () => many.peer.session.destroyed);
    expect(counts()).to.include({ 'too-much-unread': 1 });
    expect(few.peer.session.destroyed).to.equal(false);
  });

  it('stay for as long as their peers like without those limits', async () => {
    const clock = createHurriedClock(100);
    await openAndAnswer({ unreadMs: Infinity, maxUnsentBytes: Infinity, maxUnsentTotalBytes: Infinity, maxIdleMs: Infinity }, clock);
    const { calls } = await askInVain(20);
    await clock.sleep(31_000);
    expect(calls.filter((call) => call.closed)).to.have.length(0);
    expect(counts()).to.include({ 'unread-answers': 0, 'too-much-unread': 0 });
  });
});
