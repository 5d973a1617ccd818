import { expect } from 'chai';
import fc from 'fast-check';

import type { EventBus, EventHooks } from '#events';
import { refusal } from '#kit';

import { until } from '../database/until.ts';
import { type EventBench, numbered, startEventBench, upTo } from './event-bench.ts';

const POINTS = ['beforePublish', 'publish', 'published', 'afterPublish', 'beforeDeliver', 'afterDeliver', 'afterCommit'] as const;
type Point = (typeof POINTS)[number];

/** Fails where and when it is told to: at the so-many-th pass of a point. */
type Schedule = readonly { readonly point: Point; readonly pass: number }[];

const schedules: fc.Arbitrary<Schedule> = fc.array(fc.record({ point: fc.constantFrom(...POINTS), pass: fc.integer({ min: 1, max: 12 }) }), { maxLength: 12 });
/** Which subject each transaction writes to, and how many events. */
const writes = fc.array(fc.record({ subject: fc.constantFrom('a', 'b', 'c'), count: fc.integer({ min: 1, max: 4 }) }), { minLength: 1, maxLength: 20 });

describe('outbox, relay, bus and consumer', function () {
  this.timeout(60_000);
  let bench: EventBench;
  before(async () => {
    bench = await startEventBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  it('have the effect of each event once and those of a subject in order, wherever something fails', async () => {
    await fc.assert(
      fc.asyncProperty(writes, schedules, fc.integer({ min: 1, max: 7 }), async (written, schedule, batchSize) => {
        await bench.clear();
        const fail = failures(schedule);
        const hooks: EventHooks = hooksOf(fail);
        const bus: Pick<EventBus, 'publish'> = {
          async publish(events) {
            fail('publish');
            await bench.bus.publish(events);
            // It is durable, and the answer is lost.
            fail('published');
          },
        };
        for (const _instance of [1, 2]) {
          bench.relayOf({ bus, hooks, batchSize, leaseMs: 50 }).start();
          bench.consumerOf({ bus: bench.busOf(), hooks, maxTries: 100 }).start();
        }
        const counts: Record<string, number> = {};
        for (const { subject, count } of written) {
          const from = counts[subject] ?? 0;
          await bench.append(upTo(count).map((number) => numbered(subject, from + number)));
          counts[subject] = from + count;
        }
        const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
        await until('all have had their effect', async () => (await bench.effects()).length >= total && (await bench.count('outbox')) === 0);
        const effects = await bench.effects();
        for (const [subject, count] of Object.entries(counts)) {
          expect(effects.filter((effect) => effect.subject === subject).map(({ number }) => number)).to.deep.equal(upTo(count));
        }
      }),
      { numRuns: 12 },
    );
  });
});

function failures(schedule: Schedule): (point: Point) => void {
  const passes = new Map<Point, number>();
  return (point) => {
    const pass = (passes.get(point) ?? 0) + 1;
    passes.set(point, pass);
    if (schedule.some((entry) => entry.point === point && entry.pass === pass)) throw refusal('EVENT_BUS_UNAVAILABLE', `failed at ${point}, pass ${pass}`);
  };
}

function hooksOf(fail: (point: Point) => void): EventHooks {
  return {
    beforePublish: () => fail('beforePublish'),
    afterPublish: () => fail('afterPublish'),
    beforeDeliver: () => fail('beforeDeliver'),
    afterDeliver: () => fail('afterDeliver'),
    afterCommit: () => fail('afterCommit'),
  };
}
