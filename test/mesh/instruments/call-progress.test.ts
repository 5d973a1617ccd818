import { expect } from 'chai';

import { CallProgress } from '../../../mesh/instruments/call-progress.ts';

describe('the progress of a call', () => {
  let progress: CallProgress;
  beforeEach(() => void (progress = new CallProgress()));

  it('has neither retries nor hedges while there is one attempt', () => {
    progress.started(0);
    progress.ended(5);
    expect(progress).to.include({ retries: 0, hedges: 0, delayMs: 0 });
  });

  it('has a retry for each attempt that follows when none is on its way, and the time between them', () => {
    progress.started(0);
    progress.ended(5);
    progress.started(25);
    progress.ended(30);
    progress.started(70);
    expect(progress).to.include({ retries: 2, hedges: 0, delayMs: 60 });
  });

  it('has a hedge for each attempt that starts while another is on its way', () => {
    progress.started(0);
    progress.started(12);
    progress.ended(15);
    progress.started(16);
    expect(progress).to.include({ retries: 0, hedges: 2, delayMs: 0 });
  });

  it('has a retry after hedges when all of them have failed', () => {
    progress.started(0);
    progress.started(10);
    progress.ended(11);
    progress.ended(20);
    progress.started(50);
    expect(progress).to.include({ retries: 1, hedges: 1, delayMs: 30 });
  });
});
