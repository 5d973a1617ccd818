import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { seededRandom } from './support/seeded-random.ts';
import { failing, policyWith, simulateCalls } from './support/simulated-calls.ts';

describe('ejection', () => {
  it('leaves out an instance that fails 5 times in a row, and tries it again with one call after 2 s', () => {
    const { list, calls, call, clock, endpoint, out, start } = simulateCalls();
    list('a', 'b', 'c');
    calls(40, failing('a'));
    expect(out()).to.deep.equal(['a']);
    expect(endpoint('a')).to.include({ state: 'ejected', failures: 5, ejections: 1 });
    expect(calls(100, failing('a'))).to.have.keys('b', 'c');
    clock.advance(2_400);
    const probe = start();
    expect(probe).to.include({ id: 'a', probe: true });
    expect(calls(50), 'while the probe is on its way').to.have.keys('b', 'c');
    expect(endpoint('a').state).to.equal('probing');
    if ('end' in probe) probe.end();
    expect(endpoint('a').state).to.equal('slow-start');
    clock.advance(5_000);
    call();
    expect(endpoint('a').state).to.equal('healthy');
  });

  it('calls it on and on when it is switched off', () => {
    const { list, calls, out } = simulateCalls({ ejection: { enabled: false } });
    list('a', 'b', 'c');
    expect(calls(300, failing('a'))['a']).to.be.within(70, 130);
    expect(out()).to.deep.equal([]);
  });

  it('leaves out one that says itself that it fails, while the others do not', () => {
    const { list, calls, out } = simulateCalls();
    list('a', 'b', 'c');
    calls(40, (id) => (id === 'a' ? { code: status.INTERNAL } : {}));
    expect(out()).to.deep.equal(['a']);
  });

  it('takes all back at once when it is switched off, and as many as the cap says when that is lowered', () => {
    for (const [ejection, left] of [[{ enabled: false }, 0], [{ maxPercent: 25 }, 1]] as const) {
      const { list, calls, call, policy, out } = simulateCalls();
      list('a', 'b', 'c', 'd');
      calls(200, failing('a', 'b'));
      expect(out()).to.deep.equal(['a', 'b']);
      policy.current = policyWith({ ejection });
      call();
      expect(out()).to.have.length(left);
    }
  });

  it('leaves nobody open when it is switched off while nobody may be called: a probe decides', () => {
    const { list, calls, call, policy, destination } = simulateCalls();
    list('a', 'b');
    calls(60, failing('a', 'b'));
    policy.current = policyWith({ ejection: { enabled: false } });
    expect(call()).to.equal('CIRCUIT_OPEN');
    expect(destination.read().open).to.equal(true);
  });

  it('leaves out the one that fails more often than the others', () => {
    const { list, calls, clock, out } = simulateCalls({ ejection: { consecutiveFailures: 1_000 } });
    list('a', 'b', 'c');
    let made = 0;
    const thirty = (id: string) => (id === 'a' && (made += 1) % 10 < 3 ? { code: status.INTERNAL } : {});
    calls(100, thirty);
    expect(out(), 'not before the interval is over').to.deep.equal([]);
    clock.advance(1_000);
    calls(1, thirty);
    expect(out()).to.deep.equal(['a']);
  });

  it('leaves out nobody for failures that all share', () => {
    const { list, calls, clock, out } = simulateCalls({ ejection: { consecutiveFailures: 1_000 } });
    list('a', 'b', 'c');
    const { number } = seededRandom(7);
    for (let second = 0; second < 20; second += 1) {
      calls(120, () => (number() < 0.5 ? { code: status.UNAVAILABLE } : {}));
      clock.advance(1_000);
    }
    expect(out()).to.deep.equal([]);
  });

  it('leaves out one that is 50 times slower, and takes it back only when its probe is fast', () => {
    const { list, calls, call, clock, endpoint, out } = simulateCalls();
    list('a', 'b', 'c');
    let slowMs = 50;
    const slow = (id: string) => ({ ms: id === 'a' ? slowMs : 1 });
    calls(200, slow);
    expect(out()).to.deep.equal(['a']);
    expect(endpoint('b').latencyMs).to.equal(1);
    clock.advance(2_400);
    expect(call(slow)).to.equal('a');
    expect(out(), 'its probe took 50 ms').to.deep.equal(['a']);
    slowMs = 1;
    clock.advance(4_800);
    expect(call(slow)).to.equal('a');
    expect(out()).to.deep.equal([]);
  });

  it('lets a newcomer be slow until its slow start is over', () => {
    const { list, calls, clock, endpoint } = simulateCalls();
    list('a', 'b');
    list('a', 'b', 'c');
    const slow = (id: string) => ({ ms: id === 'c' ? 60 : 1 });
    while (endpoint('c').state === 'slow-start') {
      expect(endpoint('c').ejections).to.equal(0);
      calls(30, slow);
      clock.advance(20);
    }
    calls(1_000, slow);
    expect(endpoint('c').ejections).to.equal(1);
  });

  it('judges an instance that gets few calls by those of five intervals, and one with fewer not at all', () => {
    for (const [perSecond, judged] of [[5, ['a']], [3, []]] as const) {
      const { list, start, clock, out } = simulateCalls({ ejection: { consecutiveFailures: 1_000 } });
      list('a', 'b');
      for (let second = 0; second < 12; second += 1) {
        const left: Record<'a' | 'b', number> = { a: perSecond, b: 40 };
        for (let tries = 0; (left.a > 0 || left.b > 0) && tries < 1_000; tries += 1) {
          const call = start();
          if (!('end' in call)) throw call;
          const id = call.id === 'a' ? 'a' : 'b';
          // A cancelled call says nothing: so the test decides how many count.
          if (left[id] === 0) call.end({ code: status.CANCELLED });
          else call.end(id === 'a' ? { code: status.INTERNAL } : {});
          left[id] = Math.max(0, left[id] - 1);
        }
        clock.advance(1_000);
        if (out().length > 0) break;
      }
      expect(out(), `${perSecond} a second`).to.deep.equal(judged);
    }
  });

  it('sees a black hole by calls that expire, and by attempts that are given up for another one', () => {
    for (const code of [status.DEADLINE_EXCEEDED, status.CANCELLED]) {
      const { list, calls, out } = simulateCalls();
      list('a', 'b', 'c');
      // What is usual must be known first.
      calls(300, () => ({ ms: 5 }));
      calls(40, (id) => (id === 'a' ? { code, ms: 100 } : { ms: 5 }));
      expect(out(), status[code]).to.deep.equal(['a']);
    }
  });

  it('sees a black hole also where deadlines are shorter than five times the usual time', () => {
    const { list, calls, out } = simulateCalls();
    list('a', 'b');
    calls(100, () => ({ ms: 100 }));
    calls(40, (id) => (id === 'a' ? { code: status.DEADLINE_EXCEEDED, ms: 490 } : { ms: 100 }));
    expect(out()).to.deep.equal(['a']);
  });

  it('does not blame an instance for callers in a hurry', () => {
    const { list, calls, out } = simulateCalls();
    list('a', 'b', 'c');
    calls(300, () => ({ ms: 5 }));
    calls(100, (id) => (id === 'a' ? { code: status.DEADLINE_EXCEEDED, ms: 4 } : { ms: 5 }));
    expect(out()).to.deep.equal([]);
  });

  it('keeps to its cap while the others answer: half of them, one of two or three', () => {
    for (const [count, most] of [[2, 1], [3, 1], [4, 2], [10, 5]] as const) {
      const { list, calls, out } = simulateCalls();
      const ids = Array.from({ length: count }, (_, position) => `i${position}`);
      list(...ids);
      calls(2_000, failing(...ids.slice(1)));
      expect(out(), `${count} instances`).to.have.length(most);
    }
  });

  it('lets some back when the others leave the list', () => {
    const { list, calls, out } = simulateCalls();
    list('a', 'b', 'c', 'd');
    calls(200, failing('a', 'b'));
    expect(out()).to.deep.equal(['a', 'b']);
    list('a', 'b', 'c');
    expect(out()).to.have.length(1);
  });

  it('calls the one that was only worse than the others, once all others have left', () => {
    for (const end of [{ code: status.CANCELLED, ms: 100 }, { code: status.INTERNAL }]) {
      const { list, calls, call, out } = simulateCalls();
      list('a', 'b', 'c');
      calls(300, () => ({ ms: 5 }));
      calls(40, (id) => (id === 'a' ? end : { ms: 5 }));
      expect(out()).to.deep.equal(['a']);
      list('a');
      expect(out()).to.deep.equal([]);
      expect(call()).to.equal('a');
    }
  });

  it('does not call one that nobody answered at, though all others have left', () => {
    const { list, calls, call, out } = simulateCalls();
    list('a', 'b', 'c');
    calls(40, failing('a'));
    list('a');
    expect(out()).to.deep.equal(['a']);
    expect(call()).to.equal('CIRCUIT_OPEN');
  });

  it('hears no more of an instance that is not listed', () => {
    const { list, start, out, destination } = simulateCalls();
    list('a');
    const late = Array.from({ length: 10 }, () => start());
    list('b');
    for (const call of late) if ('end' in call) call.end({ code: status.UNAVAILABLE });
    expect(out()).to.deep.equal([]);
    expect(destination.read()).to.include({ open: false, inFlight: 0 });
  });
});
