import { expect } from 'chai';

import { preciseClock } from '../../tracing/sdk/precise-start.ts';

const EPOCH_MS = 1_700_000_000_000;

/** Both clocks at a moment; `ahead` is by how much the wall clock has gone ahead of the monotonic one, in milliseconds. */
function clocksAt(moment: { ms: number; ahead: number }): Parameters<typeof preciseClock>[0] {
  return { wall: () => Math.floor(EPOCH_MS + moment.ms + moment.ahead), monotonic: () => moment.ms, origin: EPOCH_MS };
}

describe('the start of a span', () => {
  it('is finer than the wall clock reads', () => {
    const moment = { ms: 10.25, ahead: 0 };
    const now = preciseClock(clocksAt(moment));
    expect(now()).to.be.closeTo(EPOCH_MS + 10.25, 0.001);
    moment.ms = 10.75;
    expect(now()).to.be.closeTo(EPOCH_MS + 10.75, 0.001);
  });

  for (const [how, driftOf] of [
    ['falls behind', (ms: number) => -ms / 1_000],
    ['goes ahead', (ms: number) => ms / 1_000],
  ] as const) {
    it(`is never far from what has passed since the one before, while the wall clock ${how}`, () => {
      const moment = { ms: 0, ahead: 0 };
      const now = preciseClock(clocksAt(moment));
      let before = now();
      for (let step = 0; step < 4_000; step += 1) {
        moment.ms += 0.37;
        moment.ahead = driftOf(moment.ms);
        const at = now();
        expect(at - before, `at ${moment.ms} ms`).to.be.closeTo(0.37, 0.1);
        expect(at - EPOCH_MS - moment.ms - moment.ahead, `at ${moment.ms} ms`).to.be.within(-1.001, 1.001);
        before = at;
      }
    });
  }

  it('follows the wall clock at once when a laptop has slept, or the clock was set', () => {
    const moment = { ms: 5.5, ahead: 0 };
    const now = preciseClock(clocksAt(moment));
    now();
    moment.ahead = 3_600_000;
    expect(now()).to.be.within(EPOCH_MS + 3_600_005, EPOCH_MS + 3_600_006);
    moment.ahead = -1_000;
    expect(now()).to.be.within(EPOCH_MS - 995, EPOCH_MS - 994);
  });
});
