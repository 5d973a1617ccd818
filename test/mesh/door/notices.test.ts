import { expect } from 'chai';

import { createNotices } from '../../../mesh/server/door/notices.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { createRuledClock } from '../support/ruled-clock.ts';

describe('notices of the door', () => {
  it('log the first of a kind at once, and a flood as one line each 10 s with its number', () => {
    const clock = createRuledClock();
    const { log, lines } = captureLog('warn');
    const notices = createNotices(log, clock);
    for (let time = 0; time < 5_000; time += 1) {
      notices.note('noise', '10.0.0.7');
      clock.advance(5);
    }
    expect(lines.map(({ kind, count }) => [kind, count])).to.deep.equal([
      ['noise', 1],
      ['noise', 2_000],
      ['noise', 2_000],
    ]);
    expect(lines[0]).to.include({ peer: '10.0.0.7', msg: 'connections were closed: what their peers sent is no HTTP/2' });
    clock.advance(5_000);
    notices.flush();
    notices.flush();
    expect(lines.map(({ count }) => count)).to.deep.equal([1, 2_000, 2_000, 999]);
    expect(notices.read()).to.include({ noise: 5_000, http1: 0 });
  });

  it('are told apart by kind', () => {
    const { log, lines } = captureLog('warn');
    const notices = createNotices(log, createRuledClock());
    notices.note('http1');
    notices.note('tls');
    notices.note('http1');
    expect(lines.map(({ kind }) => kind)).to.deep.equal(['http1', 'tls']);
  });
});
