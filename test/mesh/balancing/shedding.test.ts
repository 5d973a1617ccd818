import { expect } from 'chai';

import { refusal } from '#kit';

import { answeredWith, simulateCalls } from './support/simulated-calls.ts';

const CALL_MS = 20;
const SHED = answeredWith(refusal('OVERLOADED', 'too much at once', { retry: { kind: 'not-started', afterMs: 100 } }));

interface Load {
  readonly perMs: number;
  /** How many calls the instance `a` works on; it sheds the others at once, and `b` and `c` take all. */
  readonly places: number;
}

/** Two seconds of calls of 20 ms; returns which share of them `a` got, and which share was shed. */
function shares({ perMs, places }: Load): { readonly got: number; readonly shed: number } {
  const { list, start, clock } = simulateCalls();
  list('a', 'b', 'c');
  let atWork: { readonly id: string; readonly untilMs: number; readonly end: () => void }[] = [];
  const counts = { all: 0, got: 0, shed: 0 };
  for (let ms = 0; ms < 2_000; ms += 1) {
    for (const { end } of atWork.filter(({ untilMs }) => untilMs <= ms)) end();
    atWork = atWork.filter(({ untilMs }) => untilMs > ms);
    counts.all += perMs;
    for (let sent = 0; sent < perMs; sent += 1) {
      const call = start();
      if (!('end' in call)) throw call;
      if (call.id === 'a') counts.got += 1;
      if (call.id === 'a' && atWork.filter(({ id }) => id === 'a').length >= places) {
        counts.shed += 1;
        call.end(SHED);
      } else {
        atWork.push({ id: call.id, untilMs: ms + CALL_MS, end: () => call.end() });
      }
    }
    clock.advance(1);
  }
  return { got: counts.got / counts.all, shed: counts.shed / counts.all };
}

describe('an instance that sheds', () => {
  it('does not attract calls by being quick to refuse them: one that sheds all gets a tenth, not two thirds', () => {
    const { got } = shares({ perMs: 3, places: 0 });
    expect(got).to.be.below(0.15);
  });

  it('gets what it can do and little more: with half of its part of the places, few calls are shed', () => {
    const { got, shed } = shares({ perMs: 3, places: 10 });
    expect(got).to.be.below(0.3);
    expect(shed).to.be.below(0.1);
  });

  it('is tried again soon, also where calls are few', () => {
    const { list, calls, call, clock } = simulateCalls();
    list('a', 'b');
    calls(20, (id) => (id === 'a' ? SHED : {}));
    expect(calls(20), 'for 100 ms').to.deep.equal({ b: 20 });
    clock.advance(100);
    expect(Array.from({ length: 20 }, () => call())).to.include('a');
  });

  it('stays in: leaving it out would push its load onto the others', () => {
    const { list, calls, out } = simulateCalls();
    list('a', 'b', 'c');
    calls(300, (id) => (id === 'a' ? SHED : {}));
    expect(out()).to.deep.equal([]);
  });

  it('is not forgiven what fails between', () => {
    const { list, call, clock, out } = simulateCalls();
    list('a', 'b', 'c');
    let got = 0;
    for (let made = 0; made < 300; made += 1) {
      call((id) => (id !== 'a' ? {} : (got += 1) % 2 === 0 ? SHED : answeredWith(refusal('INTERNAL', 'a bug'))));
      clock.advance(100);
      if (out().length > 0) break;
    }
    expect(out()).to.deep.equal(['a']);
  });
});
