import { expect } from 'chai';

import { type Event, type EventBus, MAX_EVENT_BYTES } from '#events';

import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { groupConformance } from './bus-conformance-groups.ts';
import { outageConformance } from './bus-conformance-outages.ts';
import { type Bench, type BusServer, createCollector, eventOf, eventsOf, manySubjects, newTopic, type OpenerModule } from './bus-conformance-support.ts';

/** What every adapter of the bus must do. */
export function busConformance(name: string, startServer: () => Promise<BusServer>): void {
  describe(name, function () {
    this.timeout(120_000);
    let server: BusServer;
    let openBus: OpenerModule['openBus'];
    let opened: EventBus[] = [];
    const bench: Bench = {
      get server() {
        return server;
      },
      open() {
        const bus = openBus(server.address);
        opened.push(bus);
        return bus;
      },
    };

    before(async () => {
      server = await startServer();
      // Each server names a module of that kind.
      ({ openBus } = (await import(server.opener)) as OpenerModule);
    });
    afterEach(async () => {
      await Promise.all(opened.map((bus) => bus.stop()));
      opened = [];
    });
    after(() => server?.stop());

    eventConformance(bench);
    groupConformance(bench);
    readingConformance(bench);
    outageConformance(bench);
  });
}

function eventConformance({ open }: Bench): void {
  describe('an event', () => {
    it('arrives as it was published', async () => {
      const topic = newTopic();
      const bus = open();
      const published = [
        eventOf(topic, 'subject', 1, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', source: 'order' }),
        eventOf(topic, 'Ωmega/über subject 🛒', 2, { data: { text: 'naïve “quotes” 漢字 🎉\n\t\u0001', nested: { list: [1, null, true, 'x'] } } }),
        eventOf(topic, 'large', 3, { data: { text: 'é'.repeat(100_000) } }),
      ];
      await bus.publish(published);
      const collector = createCollector();
      bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
      await collector.untilAll(published);
      for (const event of published) expect(collector.events).to.deep.include(event);
    });

    it('may have the size that is allowed, and many such may be published at once', async () => {
      const topic = newTopic();
      const bus = open();
      const text = 'x'.repeat(MAX_EVENT_BYTES - '{"text":""}'.length);
      const published = [1, 2, 3].map((number) => eventOf(topic, 'subject', number, { data: { text } }));
      await bus.publish(published);
      const collector = createCollector();
      bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
      await collector.untilAll(published);
      expect(collector.events.map(({ id }) => id)).to.deep.equal(published.map(({ id }) => id));
    });

    it('is refused when it is larger, with what it is published with, and others are not held up', async () => {
      const topic = newTopic();
      const bus = open();
      const large = eventOf(topic, 'large', 1, { data: { text: 'x'.repeat(1_048_576) } });
      const refused = await expectRefusal('MESSAGE_TOO_LARGE', bus.publish([eventOf(topic, 'small', 1), large]));
      expect(refused.message).to.contain(large.id);
      const next = eventOf(topic, 'small', 2);
      await bus.publish([next]);
      expect((await bus.read(topic, '', 10)).map(({ event }) => event)).to.deep.equal([next]);
    });

    it('keeps its place among those of its subject, also when several publish and what is published is cut up', async () => {
      const topic = newTopic();
      const bus = open();
      const filler = 'x'.repeat(2_000);
      const collector = createCollector();
      bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
      const publish = async (publisher: number): Promise<Event[]> => {
        const subjects = manySubjects(10).map((subject) => `${publisher}-${subject}`);
        const published = eventsOf(topic, subjects, 50).map((event) => ({ ...event, data: { ...event.data, filler } }));
        for (const [from, to] of [[0, 400], [400, 405], [405, 500]]) await bus.publish(published.slice(from, to));
        return published;
      };
      const published = (await Promise.all([1, 2, 3].map(publish))).flat();
      await collector.untilAll(published);
      for (const subject of new Set(published.map((event) => event.subject))) {
        expect(collector.numbersOf(subject)).to.deep.equal(Array.from({ length: 50 }, (_, index) => index + 1));
      }
    });

    it('is refused where some consumer could not keep it, and others are not held up', async () => {
      const topic = newTopic();
      const bus = open();
      const strange: Partial<Event>[] = [{ id: '' }, { id: 'x'.repeat(3_000) }, { subject: 'a\0' }, { data: { text: '\0' } }, { data: { text: '\ud83d' } }, { time: new Date(Number.NaN) }];
      for (const more of strange) await expectRefusal('INVALID_ARGUMENT', bus.publish([eventOf(topic, 'subject', 1, more)]));
      const event = eventOf(topic, 'subject', 1, { data: { text: String.raw`\u0000 \\ud83d` } });
      await bus.publish([event]);
      expect((await bus.read(topic, '', 10)).map((stored) => stored.event)).to.deep.equal([event]);
    });

    it('need not exist: publishing none is done', async () => {
      await open().publish([]);
    });
  });
}

function readingConformance({ open }: Bench): void {
  describe('who looks into a topic', () => {
    it('reads it from the oldest event on, in pages, in the order of each subject', async () => {
      const topic = newTopic();
      const bus = open();
      const published = eventsOf(topic, manySubjects(5), 5);
      await bus.publish(published);
      const read = [];
      for (let after = ''; ; ) {
        const page = await bus.read(topic, after, 7);
        read.push(...page.map(({ event }) => event));
        if (page.length === 0) break;
        after = page.at(-1)?.position ?? '';
      }
      expect(read).to.have.deep.members(published);
      for (const subject of manySubjects(5)) {
        expect(read.filter((event) => event.subject === subject).map(({ data }) => data['number'])).to.deep.equal([1, 2, 3, 4, 5]);
      }
    });

    it('goes on where it stopped, with what came since', async () => {
      const topic = newTopic();
      const bus = open();
      await bus.publish([eventOf(topic, 'subject', 1)]);
      const [first] = await bus.read(topic, '', 10);
      const next = eventOf(topic, 'other', 2);
      await bus.publish([next]);
      expect((await bus.read(topic, first?.position ?? '', 10)).map(({ event }) => event)).to.deep.equal([next]);
    });

    it('reads the last of it without the rest, and goes on behind', async () => {
      const topic = newTopic();
      const bus = open();
      expect(await bus.readLast(topic, 3)).to.deep.equal([]);
      // One after another, so that their times tell their order also where partitions do not.
      const published = eventsOf(topic, manySubjects(5), 4).map((event, index) => ({ ...event, time: new Date(1_700_000_000_000 + index) }));
      await bus.publish(published);
      const last = await bus.readLast(topic, 3);
      expect(last.map(({ event }) => event)).to.deep.equal(published.slice(-3));
      expect(await bus.readLast(topic, 1_000)).to.have.length(published.length);
      const next = eventOf(topic, 'subject-0', 5);
      await bus.publish([next]);
      expect((await bus.read(topic, last.at(-1)?.position ?? '', 10)).map(({ event }) => event)).to.deep.equal([next]);
    });

    it('finds nothing where nothing was published, and is told when a position is none', async () => {
      const bus = open();
      expect(await bus.read(newTopic(), '', 10)).to.deep.equal([]);
      await bus.publish([eventOf(newTopic(), 'subject', 1)]);
      const topic = newTopic();
      await bus.publish([eventOf(topic, 'subject', 1)]);
      await expectRefusal('INVALID_ARGUMENT', bus.read(topic, 'here', 10));
    });

    it('sees how far a group is behind', async () => {
      const [topic, other, none] = [newTopic(), newTopic(), newTopic()];
      const bus = open();
      await bus.publish([...eventsOf(topic, manySubjects(3), 4), eventOf(other, 'subject', 1)]);
      const lag = async (group: string): Promise<Record<string, number>> =>
        Object.fromEntries((await bus.lag(group, [topic, other, none])).map((one) => [one.topic, one.events]));
      const group = newTopic();
      expect(await lag(group)).to.deep.equal({ [topic]: 12, [other]: 1, [none]: 0 });
      const subscription = bus.subscribe({ group, topics: [topic], deliver: createCollector().deliver });
      await until('the group has taken all of one topic', async () => (await lag(group))[topic] === 0);
      await subscription.stop();
      await bus.publish([eventOf(topic, 'subject', 5)]);
      expect(await lag(group)).to.deep.equal({ [topic]: 1, [other]: 1, [none]: 0 });
    });
  });
}
