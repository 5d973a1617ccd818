import type { HrTime, Tracer } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';

import { createPreciseTimes, preciseClock } from '../../tracing/sdk/precise-times.ts';

const EPOCH_MS = 1_700_000_000_000;

/** Both clocks at a moment; `ahead` is by how much the wall clock has gone ahead of the monotonic one, in milliseconds. */
function clocksAt(moment: { ms: number; ahead: number }): Parameters<typeof preciseClock>[0] {
  return { wall: () => Math.floor(EPOCH_MS + moment.ms + moment.ahead), monotonic: () => moment.ms, origin: EPOCH_MS };
}

describe('the clock of spans', () => {
  it('is finer than the wall clock reads', () => {
    const moment = { ms: 10.25, ahead: 0 };
    const now = preciseClock(clocksAt(moment));
    expect(now()()).to.be.closeTo(EPOCH_MS + 10.25, 0.001);
    moment.ms = 10.75;
    expect(now()()).to.be.closeTo(EPOCH_MS + 10.75, 0.001);
  });

  for (const [how, driftOf] of [
    ['falls behind', (ms: number) => -ms / 1_000],
    ['goes ahead', (ms: number) => ms / 1_000],
  ] as const) {
    it(`is never far from what has passed since the one before, while the wall clock ${how}`, () => {
      const moment = { ms: 0, ahead: 0 };
      const now = preciseClock(clocksAt(moment));
      let before = now()();
      for (let step = 0; step < 4_000; step += 1) {
        moment.ms += 0.37;
        moment.ahead = driftOf(moment.ms);
        const at = now()();
        expect(at - before, `at ${moment.ms} ms`).to.be.closeTo(0.37, 0.1);
        expect(at - EPOCH_MS - moment.ms - moment.ahead, `at ${moment.ms} ms`).to.be.within(-1.001, 1.001);
        before = at;
      }
    });
  }

  it('follows the wall clock at once when a laptop has slept, or the clock was set', () => {
    const moment = { ms: 5.5, ahead: 0 };
    const now = preciseClock(clocksAt(moment));
    now()();
    moment.ahead = 3_600_000;
    expect(now()()).to.be.within(EPOCH_MS + 3_600_005, EPOCH_MS + 3_600_006);
    moment.ahead = -1_000;
    expect(now()()).to.be.within(EPOCH_MS - 995, EPOCH_MS - 994);
  });

  it('is not misled when the process is held up between its readings', () => {
    const moment = { ms: 92.3, ahead: 0 };
    const now = preciseClock(heldUpFor({ ms: 0.9 }, moment));
    const before = now()();
    for (let step = 0; step < 100; step += 1) {
      moment.ms += 0.37;
      expect(now()() - before, `step ${step}`).to.be.closeTo(moment.ms - 93.2, 0.001);
    }
  });

  it('counts on by the monotonic clock, also while the wall clock is set', () => {
    const moment = { ms: 5.5, ahead: 0 };
    const nowMs = preciseClock(clocksAt(moment))();
    const startMs = nowMs();
    moment.ms = 8.25;
    moment.ahead = -1_000;
    expect(nowMs() - startMs).to.be.closeTo(2.75, 0.001);
  });
});

describe('the times of spans', () => {
  it('are to the microsecond, and leave out what the SDK needed to build the span', () => {
    const moment = { ms: 92.3, ahead: 0 };
    const { tracer, ended } = tracedBy(clocksAt(moment));
    const span = tracer.startSpan('payment.move');
    moment.ms += 2.7;
    span.end();
    expect(ended().map(timesOf)).to.deep.equal([['payment.move', 92_300, 95_000]]);
  });

  // On a real order `payment.find`, which begins after `payment.move`, began 0.3 ms before its end.
  it('do not overlap where one span follows the other, whatever else begins meanwhile', () => {
    const moment = { ms: 92.3, ahead: 0 };
    const holdUp = { ms: 0 };
    const { tracer, ended } = tracedBy(heldUpFor(holdUp, moment));
    for (const name of ['payment.move', 'payment.find', 'payment.move', 'payment.find']) {
      const span = tracer.startSpan(name);
      moment.ms += 0.6;
      holdUp.ms = 0.9;
      tracer.startSpan('of another call');
      holdUp.ms = 0;
      moment.ms += 1.1;
      span.end();
    }
    const times = ended().map(timesOf);
    expect(times).to.have.length(4);
    for (const [index, [name, startUs, endUs]] of times.entries()) {
      expect(endUs - startUs, name).to.be.closeTo(2_600, 1);
      expect(startUs, name).to.be.at.least(times[index - 1]?.[2] ?? 0);
    }
  });

  it('are what the caller says where it says so', () => {
    const { tracer, ended } = tracedBy(clocksAt({ ms: 5, ahead: 0 }));
    tracer.startSpan('x').end(EPOCH_MS + 12.5);
    expect(ended().map(timesOf)).to.deep.equal([['x', 5_000, 12_500]]);
  });
});

/** The same clocks in a process that another one holds up each time it has read the wall clock. */
function heldUpFor(holdUp: { ms: number }, moment: { ms: number; ahead: number }): Parameters<typeof preciseClock>[0] {
  const clocks = clocksAt(moment);
  const wall = (): number => {
    const wallMs = clocks.wall();
    moment.ms += holdUp.ms;
    return wallMs;
  };
  return { ...clocks, wall };
}

function tracedBy(clocks: Parameters<typeof preciseClock>[0]): { tracer: Tracer; ended: () => ReadableSpan[] } {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [createPreciseTimes(clocks), new SimpleSpanProcessor({ exporter })] });
  return { tracer: provider.getTracer('test'), ended: () => exporter.getFinishedSpans() };
}

/** Its name, start and end, in microseconds since the epoch of the tests. */
function timesOf({ name, startTime, endTime }: ReadableSpan): [name: string, startUs: number, endUs: number] {
  return [name, sinceEpochUs(startTime), sinceEpochUs(endTime)];
}

function sinceEpochUs([seconds, nanoseconds]: HrTime): number {
  return Math.round((seconds - EPOCH_MS / 1_000) * 1_000_000 + nanoseconds / 1_000);
}
