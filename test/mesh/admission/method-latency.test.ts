import { expect } from 'chai';

import { MethodLatency } from '../../../mesh/server/admission/method-latency.ts';

describe('how long calls of a method usually take', () => {
  function latencyOf(...tookMs: readonly number[]): MethodLatency {
    const latency = new MethodLatency();
    for (const ms of tookMs) latency.add(ms);
    latency.learn(true);
    return latency;
  }
  const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

  function learn(latency: MethodLatency, ms: number, mayRise: boolean): number | undefined {
    for (const took of times(50, ms)) latency.add(took);
    latency.learn(mayRise);
    return latency.usualMs;
  }

  it('is unknown until ten have ended', () => {
    expect(latencyOf(...times(9, 20)).usualMs).to.be.undefined;
    expect(latencyOf(...times(10, 20)).usualMs).to.equal(20);
  });

  it('is the mean, where some take 1 ms and some 500', () => {
    expect(latencyOf(...times(9, 1), 501).usualMs).to.equal(51);
  });

  it('goes down quickly and up slowly, and not up at all while calls queue', () => {
    expect(learn(latencyOf(...times(10, 100)), 20, false)).to.equal(80);
    expect(learn(latencyOf(...times(10, 100)), 200, true)).to.equal(105);
    expect(learn(latencyOf(...times(10, 100)), 200, false)).to.equal(100);
  });

  it('is what a trial has shown, where it has shown enough', () => {
    const latency = latencyOf(...times(10, 100));
    for (const took of times(10, 200)) latency.add(took);
    latency.accept(false);
    expect(latency.usualMs).to.equal(200);
    for (const took of times(10, 300)) latency.add(took);
    latency.accept(true);
    expect(latency.usualMs).to.equal(200);
    for (const took of times(9, 1)) latency.add(took);
    latency.accept(false);
    expect(latency.usualMs).to.equal(200);
  });
});
