import { expect } from 'chai';

import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { type Bench, createCollector, eventOf, eventsOf, manySubjects, newTopic, startMemberProcess } from './bus-conformance-support.ts';

/** What a kill of either side leaves. */
export function outageConformance(bench: Bench): void {
  const { open } = bench;
  describe('when processes die', () => {
    it('a killed member is taken over from, and what it had not finished comes again', async () => {
      const topic = newTopic();
      const bus = open();
      const member = startMemberProcess(bench.server, { group: topic, topic, heldSubject: 'held' });
      try {
        const published = eventsOf(topic, ['held', ...manySubjects(20)], 2);
        await bus.publish(published);
        await until('the process has begun with the held one', () => member.received.includes('held 1') && member.received.length > 5);
        await member.kill();
        const collector = createCollector();
        bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
        await collector.untilAll(published.filter(({ subject }) => subject === 'held'));
        await until('the group has taken all', async () => (await bus.lag(topic, [topic]))[0]?.events === 0);
        const seen = new Set([...member.received, ...collector.events.map(({ subject, data }) => `${subject} ${String(data['number'])}`)]);
        expect(seen.size).to.equal(published.length);
        expect(collector.numbersOf('held')).to.deep.equal([1, 2]);
      } finally {
        await member.kill();
      }
    });

    it('a killed server loses nothing that it has confirmed, and everybody goes on when it is back', async () => {
      const topic = newTopic();
      const bus = open();
      const collector = createCollector();
      bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
      const subjects = manySubjects(10);
      const before = eventsOf(topic, subjects, 5);
      await bus.publish(before.slice(0, 20));
      await collector.untilAll(before.slice(0, 20));
      await bus.publish(before.slice(20));
      await bench.server.kill();
      const meanwhile = eventOf(topic, 'meanwhile', 1);
      const refused = [bus.publish([meanwhile]), bus.read(topic, '', 10), bus.lag(topic, [topic])];
      await Promise.all(refused.map((asked) => expectRefusal('EVENT_BUS_UNAVAILABLE', asked)));
      await bench.server.restart();
      const after = eventsOf(topic, subjects, 1, 6);
      await until('events can be published again', () => bus.publish([meanwhile, ...after]).then(() => true, () => false));
      await collector.untilAll([...before, meanwhile, ...after]);
      for (const subject of subjects) expect(collector.numbersOf(subject)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    });

    it('a bus that was stopped takes nothing more', async () => {
      const bus = open();
      await bus.stop();
      await bus.stop();
      await expectRefusal('EVENT_BUS_UNAVAILABLE', bus.publish([eventOf(newTopic(), 'subject', 1)]));
    });
  });
}
