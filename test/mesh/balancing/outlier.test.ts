import { expect } from 'chai';

import { CallWindow, middleOf } from '../../../mesh/client/balancing/call-window.ts';
import { outlierOf } from '../../../mesh/client/balancing/outlier.ts';

const limits = { failurePercentMargin: 15, latencyFactor: 5 };
const figures = (failurePercent: number, medianMs = 5, calls = 20) => ({ calls, failurePercent, medianMs });

describe('an instance among others', () => {
  it('stands out by a failure share above that of the others by more than the margin', () => {
    expect(outlierOf(figures(20), [figures(0), figures(4)], limits)).to.equal('failure-share');
    expect(outlierOf(figures(17), [figures(0), figures(4)], limits)).to.equal(undefined);
  });

  it('does not stand out by failures that all of them share', () => {
    expect(outlierOf(figures(60), [figures(50), figures(55)], limits)).to.equal(undefined);
  });

  it('does not stand out by what luck explains: the more calls, the less that is', () => {
    expect(outlierOf(figures(80), [figures(50)], limits)).to.equal(undefined);
    expect(outlierOf(figures(85), [figures(50)], limits)).to.equal('failure-share');
    expect(outlierOf(figures(70, 5, 1_000), [figures(50)], limits)).to.equal('failure-share');
  });

  it('stands out by latency: by the factor, and by more than noise', () => {
    expect(outlierOf(figures(0, 26), [figures(0, 5), figures(0, 5)], limits)).to.equal('latency');
    expect(outlierOf(figures(0, 25), [figures(0, 5), figures(0, 5)], limits)).to.equal(undefined);
    expect(outlierOf(figures(0, 10), [figures(0, 0), figures(0, 1)], limits)).to.equal(undefined);
  });

  it('is compared with the faster ones where half of the others are slow', () => {
    expect(outlierOf(figures(0, 250), [figures(0, 5), figures(0, 250)], limits)).to.equal('latency');
  });

  it('never stands out alone', () => {
    expect(outlierOf(figures(100, 9_999), [], limits)).to.equal(undefined);
  });
});

describe('the window of an instance', () => {
  it('has a share of failures and the middle of its latest answers', () => {
    const window = new CallWindow();
    for (let call = 0; call < 100; call += 1) window.answered(call);
    for (let call = 0; call < 25; call += 1) window.failed();
    // The latest 64 answers took 36 to 99 ms.
    expect(window.figures()).to.deep.equal({ calls: 125, failurePercent: 20, medianMs: 67 });
    window.clear();
    expect(window.figures()).to.deep.equal({ calls: 0, failurePercent: 0, medianMs: undefined });
  });

  it('takes the lower of two middle values', () => {
    expect(middleOf([9, 1, 5])).to.equal(5);
    expect(middleOf([9, 1])).to.equal(1);
    expect(middleOf([])).to.equal(undefined);
  });
});
