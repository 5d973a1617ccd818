import { expect } from 'chai';

import { until } from '../database/until.ts';
import { type Bench, createCollector, eventOf, eventsOf, manySubjects, newTopic } from './bus-conformance-support.ts';

/** How groups and their members share events. */
export function groupConformance({ open }: Bench): void {
  describe('a group', () => {
    it('gets every event, whatever other groups do', async () => {
      const topic = newTopic();
      const bus = open();
      const published = eventsOf(topic, manySubjects(10), 10);
      const [one, two] = [createCollector(), createCollector()];
      bus.subscribe({ group: topic, topics: [topic], deliver: one.deliver });
      await bus.publish(published);
      bus.subscribe({ group: `${topic}-two`, topics: [topic], deliver: two.deliver });
      await Promise.all([one.untilAll(published), two.untilAll(published)]);
    });

    it('begins with the oldest event when it is new, and where it stopped when it is not', async () => {
      const topic = newTopic();
      const bus = open();
      const old = eventsOf(topic, manySubjects(5), 3);
      await bus.publish(old);
      const first = createCollector();
      const subscription = bus.subscribe({ group: topic, topics: [topic], deliver: first.deliver });
      await first.untilAll(old);
      await subscription.stop();
      const fresh = eventsOf(topic, manySubjects(5), 3, 4);
      await bus.publish(fresh);
      const second = createCollector();
      open().subscribe({ group: topic, topics: [topic], deliver: second.deliver });
      await second.untilAll(fresh);
      const ids = new Set(old.map(({ id }) => id));
      expect(second.events.filter(({ id }) => ids.has(id))).to.deep.equal([]);
    });

    it('may wait for a topic to which nobody has published yet', async () => {
      const topics = [newTopic(), newTopic()] as const;
      const bus = open();
      const collector = createCollector();
      bus.subscribe({ group: topics[0], topics, deliver: collector.deliver });
      const published = topics.map((topic) => eventOf(topic, 'subject', 1));
      await open().publish(published);
      await collector.untilAll(published);
    });

    it('gets an event again until it takes it, and no later one of the subject before', async () => {
      const topic = newTopic();
      const bus = open();
      let refusals = 0;
      const collector = createCollector(async ({ subject, data }) => {
        if (subject === 'hard' && data['number'] === 2 && (refusals += 1) <= 3) throw new Error('not now');
      });
      bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
      const published = eventsOf(topic, ['hard', ...manySubjects(10)], 3);
      await bus.publish(published);
      await collector.untilAll(published);
      expect(refusals).to.be.greaterThan(3);
      expect(collector.numbersOf('hard')).to.deep.equal([1, 2, 3]);
    });

    it('is not held up by an event that takes long, but for what comes after it', async () => {
      const topic = newTopic();
      const bus = open();
      const slow = Promise.withResolvers<void>();
      const collector = createCollector(async ({ subject }) => (subject === 'slow' ? slow.promise : undefined));
      bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
      await bus.publish([eventOf(topic, 'slow', 1)]);
      const published = eventsOf(topic, manySubjects(40), 20);
      await bus.publish(published);
      // Some share the slow one's partition.
      await until('most others came', () => new Set(collector.events.map(({ subject }) => subject)).size >= 20);
      expect(collector.numbersOf('slow')).to.deep.equal([]);
      slow.resolve();
      await collector.untilAll(published);
      expect(collector.numbersOf('slow')).to.deep.equal([1]);
    });
  });

  describe('members of a group', () => {
    it('share the events, and hand over in order when one stops', async () => {
      const topic = newTopic();
      const publisher = open();
      const [one, two] = [createCollector(), createCollector()];
      const first = open().subscribe({ group: topic, topics: [topic], deliver: one.deliver });
      open().subscribe({ group: topic, topics: [topic], deliver: two.deliver });
      const subjects = manySubjects(40);
      const published = eventsOf(topic, subjects, 1);
      await publisher.publish(published);
      let round = 1;
      await until('both get some', async () => {
        const more = eventsOf(topic, subjects, 1, (round += 1));
        published.push(...more);
        await publisher.publish(more);
        const recent = (events: readonly { data: Record<string, unknown> }[]): boolean => events.some(({ data }) => Number(data['number']) >= round - 1);
        return recent(one.events) && recent(two.events);
      });
      await first.stop();
      const taken = one.events.length;
      const last = eventsOf(topic, subjects, 1, round + 1);
      await publisher.publish(last);
      await two.untilAll(last);
      expect(one.events, 'a member that has stopped gets no more').to.have.length(taken);
      const all = [...one.events, ...two.events];
      for (const { id } of published) expect(all.some((event) => event.id === id), id).to.equal(true);
      for (const subject of subjects) {
        const numbers = two.numbersOf(subject);
        expect(numbers, subject).to.deep.equal(numbers.toSorted((a, b) => a - b));
      }
    });

    it('are told to end what they are at when they stop, and another gets it', async () => {
      const topic = newTopic();
      const begun = Promise.withResolvers<void>();
      const held = createCollector(async (_event, signal) => {
        begun.resolve();
        await new Promise((_resolve, reject) => void signal.addEventListener('abort', () => reject(new Error('stopped'))));
      });
      const bus = open();
      const event = eventOf(topic, 'subject', 1);
      await bus.publish([event]);
      const subscription = bus.subscribe({ group: topic, topics: [topic], deliver: held.deliver });
      await begun.promise;
      await subscription.stop();
      const other = createCollector();
      open().subscribe({ group: topic, topics: [topic], deliver: other.deliver });
      await other.untilAll([event]);
      expect(held.events).to.deep.equal([]);
    });
  });
}
