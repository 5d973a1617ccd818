import { expect } from 'chai';

import { type Clock, repeat, systemClock } from '#kit';

import { captureLog } from '../tracing/captured-log.ts';

const FAILURE = 'cannot do it now; goes on when it can';

describe('work that is repeated', () => {
  /** Runs one round for each word; `fail` is a round that fails. The pauses take no time. */
  async function run(...rounds: readonly ('work' | 'fail')[]) {
    const { log, lines } = captureLog();
    const over = new AbortController();
    const pauses: number[] = [];
    const clock: Clock = { now: systemClock.now, sleep: async (ms) => void pauses.push(ms) };
    let round = 0;
    async function work(): Promise<void> {
      const asked = rounds[round];
      round += 1;
      if (round === rounds.length) over.abort();
      if (asked === 'fail') throw new Error(`round ${round}`);
    }
    await repeat(work, { everyMs: 250, signal: over.signal, clock, log, failure: FAILURE });
    return { round, pauses, lines };
  }

  it('is done at once, and again after each pause, until it is told to stop', async () => {
    expect(await run('work', 'work', 'work')).to.deep.equal({ round: 3, pauses: [250, 250, 250], lines: [] });
  });

  it('goes on after a failure, which is said once until it succeeds again, in the words of whose work it is', async () => {
    const { lines } = await run('fail', 'fail', 'work', 'fail', 'fail', 'work');
    expect(lines.map(({ level, msg }) => `${level}: ${msg}`)).to.deep.equal([`warn: ${FAILURE}`, `warn: ${FAILURE}`]);
    expect(JSON.stringify(lines)).to.include('round 1').and.to.include('round 4').and.not.to.include('round 2');
  });

  it('is not begun when it is told to stop before', async () => {
    const begun: number[] = [];
    const { log } = captureLog();
    await repeat(async () => void begun.push(1), { everyMs: 1, signal: AbortSignal.abort(), clock: systemClock, log, failure: FAILURE });
    expect(begun).to.deep.equal([]);
  });

  it('ends with its round when it is told to stop, and does not wait for the pause', async () => {
    const { log } = captureLog();
    const over = new AbortController();
    const began = performance.now();
    await repeat(async () => over.abort(), { everyMs: 60_000, signal: over.signal, clock: systemClock, log, failure: FAILURE });
    expect(performance.now() - began).to.be.below(5_000);
  });
});
