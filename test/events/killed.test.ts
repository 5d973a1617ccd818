import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect } from 'chai';

import type { EventHooks } from '#events';

import { until } from '../database/until.ts';
import { type EventBench, firstNumbers, numbered, startEventBench, upTo } from './event-bench.ts';

const SUBJECTS = ['a', 'b', 'c', 'd', 'e'];

/** Runs a relay or a consumer in a process of its own until it has killed itself, with kill -9. */
async function runUntilKilled(role: 'relay' | 'consumer', url: string, point: keyof EventHooks): Promise<void> {
  const child = fork(join(import.meta.dirname, 'events-runner.ts'), [role, url, point]);
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).to.equal('SIGKILL');
}

describe('events whose process is killed', function () {
  this.timeout(30_000);
  let bench: EventBench;
  before(async () => {
    bench = await startEventBench();
  });
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const append = async (): Promise<void> => {
    for (const number of upTo(8)) await bench.append(SUBJECTS.map((subject) => numbered(subject, number)));
  };
  const expected = Object.fromEntries(SUBJECTS.map((subject) => [subject, upTo(8)]));

  for (const point of ['beforePublish', 'afterPublish'] as const) {
    it(`by the relay, at ${point}, are all published, in order, by the one that takes over`, async () => {
      await append();
      const left = 8 * SUBJECTS.length;
      await runUntilKilled('relay', bench.url, point);
      expect(await bench.count('outbox')).to.be.within(1, left - 1);
      bench.relayOf().start();
      await until('all are published', async () => (await bench.count('outbox')) === 0);
      const published = await bench.published();
      expect(firstNumbers(published)).to.deep.equal(expected);
      // Those that the dead one had published and not noted.
      expect(published.length - left).to.equal(point === 'afterPublish' ? 5 : 0);
    });
  }

  for (const point of ['afterDeliver', 'afterCommit'] as const) {
    it(`by the consumer, at ${point}, have their effects once and in order`, async () => {
      await append();
      bench.relayOf().start();
      await runUntilKilled('consumer', bench.url, point);
      const consumer = bench.consumerOf();
      consumer.start();
      await until('all have had their effect', async () => (await bench.effects()).length >= 8 * SUBJECTS.length);
      const effects = await bench.effects();
      const numbers = Object.fromEntries(SUBJECTS.map((subject) => [subject, effects.filter((effect) => effect.subject === subject).map(({ number }) => number)]));
      expect(numbers).to.deep.equal(expected);
      expect(consumer.read().duplicate).to.be.least(point === 'afterCommit' ? 3 : 0);
    });
  }
});
