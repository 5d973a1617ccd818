import { expect } from 'chai';

import { createLoopTurn, type LoopTurn } from '../../../mesh/server/admission/loop-turn.ts';

describe('the turn of the event loop', () => {
  /** A loop whose turns and CPU time the test sets. */
  function ruled() {
    const loop = { turn: 1, usedMs: 5_000, counts: 0 };
    const turns = (): number => {
      loop.counts += 1;
      return loop.turn;
    };
    return { loop, age: createLoopTurn({ turns, cpuMs: () => loop.usedMs }) };
  }

  it('is as old as its first call is, while the process works', () => {
    const { loop, age } = ruled();
    expect(age.ageMs(1_000)).to.equal(0);
    expect(age.ageMs(1_010)).to.equal(10);
    loop.usedMs += 120;
    expect(age.ageMs(1_130)).to.equal(130);
    loop.turn += 1;
    expect(age.ageMs(1_131)).to.equal(0);
  });

  it('does not grow while the machine gives the process nothing', () => {
    const { loop, age } = ruled();
    age.ageMs(1_000);
    age.ageMs(1_010);
    loop.usedMs += 3;
    expect(age.ageMs(1_500)).to.equal(13);
  });

  it('is counted no more often than each 10 ms while turns are short', () => {
    const { loop, age } = ruled();
    for (let nowMs = 0; nowMs < 100; nowMs += 1) {
      age.ageMs(nowMs);
      loop.turn += 1;
    }
    expect(loop.counts).to.equal(10);
  });

  it('ends in this process when the loop goes on, and not before', async () => {
    const turn: LoopTurn = createLoopTurn();
    turn.ageMs(0);
    await Promise.resolve();
    expect(turn.ageMs(50)).to.be.within(10, 50);
    await new Promise((resolve) => void setTimeout(resolve, 1));
    expect(turn.ageMs(100)).to.equal(0);
  });
});
