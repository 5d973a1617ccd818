import { expect } from 'chai';
import type { MeshError } from '#kit';

import { runBlockingLoop } from '../../discovery/consul/blocking-loop.ts';
import { blockingTimeoutMs } from '../../discovery/consul/query.ts';
import { fixedRandom } from './support/fixed-random.ts';
import { createManualClock, type ManualClock } from './support/manual-clock.ts';

type Step = { index: number; value: string } | Error;

/** A loop over scripted answers; the last one repeats. */
function start(clock: ManualClock, steps: readonly Step[]) {
  const asked: { index: number; at: number }[] = [];
  const heard: string[] = [];
  const errors: MeshError[] = [];
  const controller = new AbortController();
  const begin = clock.now();
  const ended = runBlockingLoop<string>(
    {
      clock,
      random: fixedRandom,
      query: async (index) => {
        const step = steps[Math.min(asked.length, steps.length - 1)];
        asked.push({ index, at: clock.now() - begin });
        if (!step || step instanceof Error) throw step ?? new Error('no step');
        return step;
      },
      onAnswer: (value) => void heard.push(value),
      onError: (error) => void errors.push(error),
    },
    controller.signal,
  );
  const stop = async (): Promise<void> => {
    controller.abort();
    await ended;
  };
  return { asked, heard, errors, stop };
}

describe('the blocking-query loop', () => {
  it('waits on the index of the last answer', async () => {
    const clock = createManualClock();
    const loop = start(clock, [{ index: 7, value: 'a' }, { index: 9, value: 'b' }, { index: 9, value: 'b' }]);
    await clock.advance(200);
    await loop.stop();
    expect(loop.asked.slice(0, 3).map(({ index }) => index)).to.deep.equal([0, 7, 9]);
  });

  it('starts over at 0 when the index goes backwards', async () => {
    const clock = createManualClock();
    const loop = start(clock, [{ index: 50, value: 'a' }, { index: 20, value: 'b' }, { index: 20, value: 'b' }, { index: 21, value: 'c' }]);
    await clock.advance(300);
    await loop.stop();
    expect(loop.asked.slice(0, 4).map(({ index }) => index)).to.deep.equal([0, 50, 0, 20]);
  });

  it('never waits on an index below 1, and polls slowly while it gets none', async () => {
    const clock = createManualClock();
    const loop = start(clock, [{ index: 0, value: 'a' }, { index: -3, value: 'a' }, { index: 0, value: 'a' }]);
    await clock.advance(2_000);
    await loop.stop();
    expect(loop.asked.slice(0, 3)).to.deep.equal([{ index: 0, at: 0 }, { index: 0, at: 1_000 }, { index: 0, at: 2_000 }]);
  });

  it('does not hammer a server that answers at once', async () => {
    const clock = createManualClock();
    const loop = start(clock, [{ index: 5, value: 'same' }]);
    await clock.advance(1_000);
    await loop.stop();
    expect(loop.asked).to.have.length.within(9, 11);
  });

  it('goes on after errors, later and later, from index 0', async () => {
    const clock = createManualClock();
    const gone = new Error('gone');
    const loop = start(clock, [{ index: 5, value: 'a' }, gone, gone, gone, gone, gone, gone, gone, { index: 3, value: 'b' }]);
    await clock.advance(60_000);
    await loop.stop();
    const starts = loop.asked.slice(1, 9).map(({ at }) => at);
    const pauses = starts.slice(1).map((at, position) => at - (starts[position] ?? 0));
    expect(pauses).to.deep.equal([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    expect(loop.asked.slice(2, 9).every(({ index }) => index === 0)).to.equal(true);
    expect(loop.errors).to.have.length(7);
    expect(loop.heard.slice(0, 2)).to.deep.equal(['a', 'b']);
  });

  it('leaves no timer when it is stopped', async () => {
    const clock = createManualClock();
    const loop = start(clock, [new Error('gone')]);
    await clock.advance(10);
    expect(clock.sleeping()).to.have.length(1);
    await loop.stop();
    expect(clock.sleeping()).to.deep.equal([]);
  });

  it('takes silence for an answer only after the wait, a sixteenth of it and some slack', () => {
    expect(blockingTimeoutMs(60_000)).to.equal(60_000 + 3_750 + 2_000);
  });
});
