import { expect } from 'chai';

import { type Clocks, createSpanClock, toHrTime } from '../../tracing/sdk/span-clock.ts';
import { clocksAt, EPOCH_MS, heldUpFor } from './ruled-clocks.ts';

describe('the clock of spans', () => {
  it('is finer than the wall clock reads', () => {
    const moment = { ms: 10.25, ahead: 0 };
    const clock = createSpanClock(clocksAt(moment));
    expect(clock.nowMs()).to.be.closeTo(EPOCH_MS + 10.25, 0.001);
    moment.ms = 10.75;
    expect(clock.nowMs()).to.be.closeTo(EPOCH_MS + 10.75, 0.001);
  });

  for (const [how, driftOf] of [
    ['falls behind', (ms: number) => -ms / 1_000],
    ['goes ahead', (ms: number) => ms / 1_000],
  ] as const) {
    it(`is never far from what has passed since the one before, while the wall clock ${how}`, () => {
      const moment = { ms: 0, ahead: 0 };
      const clock = createSpanClock(clocksAt(moment));
      let before = clock.nowMs();
      for (let step = 0; step < 4_000; step += 1) {
        moment.ms += 0.37;
        moment.ahead = driftOf(moment.ms);
        const at = clock.nowMs();
        expect(at - before, `at ${moment.ms} ms`).to.be.closeTo(0.37, 0.1);
        expect(at - EPOCH_MS - moment.ms - moment.ahead, `at ${moment.ms} ms`).to.be.within(-1.003, 1.003);
        before = at;
      }
    });
  }

  it('follows the wall clock within a millisecond when a laptop has slept, or the clock was set', () => {
    const moment = { ms: 5.5, ahead: 0 };
    const clock = createSpanClock(clocksAt(moment));
    clock.nowMs();
    moment.ms += 1;
    moment.ahead = 3_600_000;
    expect(clock.nowMs()).to.be.within(EPOCH_MS + 3_600_006, EPOCH_MS + 3_600_007);
    moment.ms += 1;
    moment.ahead = -1_000;
    expect(clock.nowMs()).to.be.within(EPOCH_MS - 993, EPOCH_MS - 992);
  });

  it('is not misled when the process is held up between its readings', () => {
    const moment = { ms: 92.3, ahead: 0 };
    const clock = createSpanClock(heldUpFor({ ms: 0.9 }, moment));
    clock.nowMs();
    const originMs = clock.originMs;
    for (let step = 0; step < 100; step += 1) {
      moment.ms += 1.37;
      clock.nowMs();
      expect(clock.originMs, `step ${step}`).to.be.closeTo(originMs, 0.001);
    }
  });

  it('reads the wall clock once a millisecond, however many spans start in it', () => {
    const moment = { ms: 5, ahead: 0 };
    let readings = 0;
    const clocks: Clocks = clocksAt(moment);
    const wall = (): number => {
      readings += 1;
      return clocks.wall();
    };
    const clock = createSpanClock({ ...clocks, wall });
    for (let span = 0; span < 100; span += 1) {
      moment.ms += 0.05;
      clock.nowMs();
    }
    expect(readings).to.be.within(4, 6);
  });

  it('counts on by the monotonic clock from where a span began, also while the wall clock is set', () => {
    const moment = { ms: 5.5, ahead: 0 };
    const clock = createSpanClock(clocksAt(moment));
    const startMs = clock.nowMs();
    const { originMs } = clock;
    moment.ms = 8.25;
    moment.ahead = -1_000;
    clock.nowMs();
    expect(clock.after(originMs) - startMs).to.be.closeTo(2.75, 0.001);
  });

  it("takes a caller's time however it is written, a reading of the monotonic clock too", () => {
    const clock = createSpanClock(clocksAt({ ms: 50, ahead: 0 }));
    for (const time of [EPOCH_MS + 12, new Date(EPOCH_MS + 12), 12, [EPOCH_MS / 1_000, 12_000_000] as [number, number]])
      expect(clock.toMs(time), JSON.stringify(time)).to.equal(EPOCH_MS + 12);
  });

  it('writes times as seconds and nanoseconds, to the microsecond', () => {
    expect(toHrTime(EPOCH_MS + 12.345)).to.deep.equal([1_700_000_000, 12_345_000]);
    expect(toHrTime(EPOCH_MS + 999.9996)).to.deep.equal([1_700_000_001, 0]);
  });
});
