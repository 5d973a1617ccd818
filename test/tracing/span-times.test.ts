import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';

import { createSpanClock } from '../../tracing/sdk/span-clock.ts';
import { clocksAt, EPOCH_MS, heldUpFor } from './ruled-clocks.ts';
import { recordSpans } from './span-recorder.ts';

describe('the times of spans', () => {
  it('are to the microsecond', () => {
    const moment = { ms: 92.3, ahead: 0 };
    const { tracer, ended } = recordSpans({ clock: createSpanClock(clocksAt(moment)) });
    const span = tracer.startSpan('payment.move');
    moment.ms += 1.2;
    span.addEvent('half');
    moment.ms += 1.5;
    span.end();
    expect(ended.map(timesOf)).to.deep.equal([['payment.move', 92_300, 95_000]]);
    expect(ended[0]?.duration).to.deep.equal([0, 2_700_000]);
    expect(sinceEpochUs(ended[0]?.events[0]?.time ?? [0, 0])).to.equal(93_500);
  });

  // On a real order `payment.find`, which begins after `payment.move`, began 0.3 ms before its end.
  it('do not overlap where one span follows the other, whatever else begins meanwhile', () => {
    const moment = { ms: 92.3, ahead: 0 };
    const holdUp = { ms: 0 };
    const { tracer, ended } = recordSpans({ clock: createSpanClock(heldUpFor(holdUp, moment)) });
    for (const name of ['payment.move', 'payment.find', 'payment.move', 'payment.find']) {
      const span = tracer.startSpan(name);
      moment.ms += 1.6;
      holdUp.ms = 0.9;
      tracer.startSpan('of another call');
      holdUp.ms = 0;
      moment.ms += 1.1;
      span.end();
    }
    const times = ended.map(timesOf);
    expect(times).to.have.length(4);
    for (const [index, [name, startUs, endUs]] of times.entries()) {
      expect(endUs - startUs, name).to.be.closeTo(3_600, 1);
      expect(startUs, name).to.be.at.least(times[index - 1]?.[2] ?? 0);
    }
  });

  it('keep their length while the wall clock is set', () => {
    const moment = { ms: 5, ahead: 0 };
    const { tracer, ended } = recordSpans({ clock: createSpanClock(clocksAt(moment)) });
    const span = tracer.startSpan('x');
    moment.ms += 2;
    moment.ahead = 3_600_000;
    tracer.startSpan('of another call');
    span.end();
    expect(ended.map(timesOf)).to.deep.equal([['x', 5_000, 7_000]]);
  });

  it('are what the caller says where it says so', () => {
    const { tracer, ended } = recordSpans({ clock: createSpanClock(clocksAt({ ms: 5, ahead: 0 })) });
    tracer.startSpan('x').end(EPOCH_MS + 12.5);
    tracer.startSpan('y', { startTime: EPOCH_MS + 2.25 }).end();
    expect(ended.map(timesOf)).to.deep.equal([
      ['x', 5_000, 12_500],
      ['y', 2_250, 5_000],
    ]);
  });
});

/** Its name, start and end, in microseconds since the epoch of the tests. */
function timesOf({ name, startTime, endTime }: ReadableSpan): [name: string, startUs: number, endUs: number] {
  return [name, sinceEpochUs(startTime), sinceEpochUs(endTime)];
}

function sinceEpochUs([seconds, nanoseconds]: ReadableSpan['startTime']): number {
  return Math.round((seconds - EPOCH_MS / 1_000) * 1_000_000 + nanoseconds / 1_000);
}
