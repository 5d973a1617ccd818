import { expect } from 'chai';

import { createLatencyPercentile, type LatencyPercentile } from '../../../mesh/client/latency-percentile.ts';
import { createInstantClock, type InstantClock } from './support/instant-clock.ts';

describe('latency percentile', () => {
  let clock: InstantClock;
  let latency: LatencyPercentile;
  beforeEach(() => {
    clock = createInstantClock();
    latency = createLatencyPercentile(clock);
  });

  function record(latencyMs: number, times: number): void {
    for (let index = 0; index < times; index += 1) latency.record(latencyMs);
  }

  it('is not known before a hundred answers', () => {
    record(10, 99);
    expect(latency.readMs(95)).to.equal(undefined);
    record(10, 1);
    expect(latency.readMs(95)).to.equal(10);
  });

  it('is the time within which so many answers came, to a hundredth', () => {
    for (let ms = 1; ms <= 1_000; ms += 1) latency.record(ms);
    expect(latency.readMs(50)).to.be.within(495, 505);
    expect(latency.readMs(95)).to.be.within(940, 960);
  });

  it('follows a change within ten seconds, and not by single answers', () => {
    record(10, 1_000);
    clock.advance(4_000);
    record(300, 10);
    expect(latency.readMs(95)).to.equal(10);
    for (let second = 0; second < 10; second += 1) {
      clock.advance(1_000);
      record(300, 100);
    }
    expect(latency.readMs(50)).to.be.within(297, 303);
  });

  it('is forgotten when nothing was answered for ten seconds', () => {
    record(10, 1_000);
    clock.advance(10_000);
    expect(latency.readMs(95)).to.equal(undefined);
    record(20, 100);
    expect(latency.readMs(95)).to.equal(20);
  });

  it('takes what a clock that was set back, or a very long answer, makes of it', () => {
    record(-5, 50);
    record(1e12, 50);
    expect(latency.readMs(50)).to.equal(1);
    expect(latency.readMs(99)).to.be.within(3_560_000, 3_640_000);
    clock.advance(-3_600_000);
    record(10, 100);
    expect(latency.readMs(95)).to.equal(10);
  });
});
