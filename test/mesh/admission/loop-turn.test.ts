import { expect } from 'chai';

import { createLoopTurn, type LoopTurn } from '../../../mesh/server/admission/loop-turn.ts';

describe('the turn of the event loop', () => {
  it('is as old as its first call is', () => {
    let turns = 1;
    const turn = createLoopTurn(() => turns);
    expect(turn.ageMs(1_000)).to.equal(0);
    expect(turn.ageMs(1_030)).to.equal(30);
    expect(turn.ageMs(1_150)).to.equal(150);
    turns += 1;
    expect(turn.ageMs(1_151)).to.equal(0);
  });

  it('is counted no more often than each 10 ms while turns are short', () => {
    let counts = 0;
    const turn = createLoopTurn(() => (counts += 1));
    for (let nowMs = 0; nowMs < 100; nowMs += 1) turn.ageMs(nowMs);
    expect(counts).to.equal(10);
  });

  it('ends in this process when the loop goes on, and not before', async () => {
    const turn: LoopTurn = createLoopTurn();
    turn.ageMs(0);
    await Promise.resolve();
    expect(turn.ageMs(50)).to.equal(50);
    await new Promise((resolve) => void setTimeout(resolve, 1));
    expect(turn.ageMs(100)).to.equal(0);
  });
});
