import { type Admin, ConfigResourceTypes, Consumer, type Message, Producer } from '@platformatic/kafka';
import { expect } from 'chai';

import { type Clock, systemClock } from '#kit';

import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { createCollector, eventOf, eventsOf, manySubjects, newTopic } from './bus-conformance-support.ts';
import { collectLog, openKafkaBus } from './kafka-test-bus.ts';

/** Subjects and the hash that Kafka's Java client has for them (its UtilsTest, murmur2). */
const JAVA_HASHES: Readonly<Record<string, number>> = {
  '21': -973_932_308,
  foobar: -790_332_482,
  'a-little-bit-long-string': -985_981_536,
  'a-little-bit-longer-string': -1_486_304_829,
  lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58_897_971,
  abc: 479_470_107,
};

/** What only Kafka has: its records, its partitions, its limits, its retention. */
export function kafkaSpecifics(given: { readonly brokers: string; readonly admin: Admin }): void {
  it('writes CloudEvents in binary mode, into the partition that a Java client would choose', async () => {
    const topic = newTopic();
    const bus = openKafkaBus(given.brokers);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const events = Object.keys(JAVA_HASHES).map((subject, number) => eventOf(topic, subject, number, { traceparent }));
    await bus.publish(events);
    const records = await readRaw(given.brokers, topic, events.length);
    await bus.stop();
    for (const { id, source, type, subject, time, data } of events) {
      const record = records.find(({ key }) => String(key) === subject);
      expect(record?.partition, subject).to.equal(((JAVA_HASHES[subject] ?? 0) & 0x7fff_ffff) % 8);
      expect(JSON.parse(String(record?.value))).to.deep.equal(data);
      expect(Object.fromEntries([...(record?.headers ?? [])].map(([name, value]) => [String(name), String(value)]))).to.deep.equal({
        ce_id: id, ce_source: source, ce_type: type, ce_subject: subject, ce_time: time.toISOString(),
        ce_specversion: '1.0', 'content-type': 'application/json', traceparent,
      });
    }
  });

  it('sends in smaller parts where a topic takes less at a time, and refuses what does not fit at all', async () => {
    const topic = newTopic();
    await given.admin.createTopics({ topics: [topic], partitions: 1, configs: [{ name: 'max.message.bytes', value: '10000' }] });
    const bus = openKafkaBus(given.brokers);
    const events = eventsOf(topic, manySubjects(5), 20).map((event) => ({ ...event, data: { ...event.data, filler: 'x'.repeat(1_000) } }));
    await bus.publish(events);
    await expectRefusal('MESSAGE_TOO_LARGE', bus.publish([eventOf(topic, 'subject', 1, { data: { filler: 'x'.repeat(20_000) } })]));
    expect((await bus.read(topic, '', 1_000)).map(({ event }) => event)).to.deep.equal(events);
    await bus.stop();
  });

  it('takes events of any time, and keeps each for seven days from its publishing', async () => {
    const topic = newTopic();
    const bus = openKafkaBus(given.brokers);
    const events = ['2999-01-01', '1999-01-01'].map((time, index) => eventOf(topic, 'subject', index, { time: new Date(time) }));
    await bus.publish(events);
    const collector = createCollector();
    bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
    await collector.untilAll(events);
    await bus.stop();
    for (const { timestamp } of await readRaw(given.brokers, topic, 2)) expect(Date.now() - Number(timestamp)).to.be.within(-1_000, 60_000);
    const [described] = await given.admin.describeConfigs({ resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }] });
    const configs = Object.fromEntries((described?.configs ?? []).map(({ name, value }) => [name, value]));
    expect(configs).to.include({ 'retention.ms': '604800000', 'segment.ms': '21600000', 'message.timestamp.type': 'LogAppendTime' });
  });

  it('asks for the clocks to be set, and sets nothing aside, where a topic takes the time of publishers and finds it wrong', async () => {
    const topic = newTopic();
    await given.admin.createTopics({ topics: [topic], partitions: 1 });
    const ahead: Clock = { ...systemClock, now: () => Date.now() + 2 * 60 * 60 * 1000 };
    const bus = openKafkaBus(given.brokers, { clock: ahead });
    const refused = await expectRefusal('EVENT_BUS_UNAVAILABLE', bus.publish([eventOf(topic, 'subject', 1)]));
    expect(refused.message).to.contain('clock');
    await bus.stop();
  });

  it('refuses an event without a subject or with a type that can be no topic', async () => {
    const bus = openKafkaBus(given.brokers);
    await expectRefusal('INVALID_ARGUMENT', bus.publish([eventOf(newTopic(), '', 1)]));
    for (const type of ['Happened', 'shop order.Happened', `${'x'.repeat(250)}.Happened`]) {
      await expectRefusal('INVALID_ARGUMENT', bus.publish([eventOf('any', 'subject', 1, { type })]));
    }
    await bus.stop();
  });

  it('passes over a record that is no event, and says so without its content', async () => {
    const topic = newTopic();
    const { log, lines } = collectLog();
    const bus = openKafkaBus(given.brokers, { log });
    await given.admin.createTopics({ topics: [topic], partitions: 1 });
    const stranger = new Producer({ clientId: 'stranger', bootstrapBrokers: [given.brokers] });
    await stranger.send({ messages: [{ topic, key: Buffer.from('subject'), value: Buffer.from('secret{') }], acks: -1 });
    await stranger.close();
    const event = eventOf(topic, 'subject', 1);
    await bus.publish([event]);
    const collector = createCollector();
    bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
    await collector.untilAll([event]);
    await bus.stop();
    expect(lines.map(({ msg }) => msg)).to.include('a record is no event and is passed over');
    expect(JSON.stringify(lines)).not.to.contain('secret');
  });

  it('fetches no more than 256 events ahead, and goes on with the oldest there is when the next were deleted', async () => {
    const topic = newTopic();
    const { log, lines } = collectLog();
    const bus = openKafkaBus(given.brokers, { log });
    await given.admin.createTopics({ topics: [topic], partitions: 1 });
    const events = eventsOf(topic, ['subject'], 1_000);
    await bus.publish(events);
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const collector = createCollector(async () => {
      begun.resolve();
      await held.promise;
    });
    bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
    await begun.promise;
    await given.admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 900n }] }] });
    held.resolve();
    await collector.untilAll(events.slice(900));
    await bus.stop();
    const numbers = collector.numbersOf('subject');
    expect(numbers).to.deep.equal([...events.slice(0, 256), ...events.slice(900)].map(({ data }) => data['number']));
    expect(lines.map(({ msg }) => msg)).to.include('events were gone before they were taken');
  });

  it('loses nothing and keeps the order while members come and go', async () => {
    const topic = newTopic();
    const publisher = openKafkaBus(given.brokers);
    const subjects = manySubjects(30);
    const collector = createCollector();
    const published = eventsOf(topic, subjects, 1);
    await publisher.publish(published);
    let buses = [openKafkaBus(given.brokers)];
    for (const bus of buses) bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
    for (let round = 2; round <= 8; round += 1) {
      const more = eventsOf(topic, subjects, 5, round * 5 - 8);
      published.push(...more);
      const sent = publisher.publish(more);
      const joining = openKafkaBus(given.brokers);
      joining.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
      if (round % 2 === 0) await buses.shift()?.stop();
      buses = [...buses, joining];
      await sent;
    }
    await collector.untilAll(published);
    await until('all is committed', async () => (await publisher.lag(topic, [topic]))[0]?.events === 0);
    for (const subject of subjects) expect(collector.numbersOf(subject)).to.deep.equal(Array.from({ length: 36 }, (_, index) => index + 1));
    await Promise.all([...buses, publisher].map((bus) => bus.stop()));
  });
}

/** By the library's own consumer. */
async function readRaw(brokers: string, topic: string, count: number): Promise<Message[]> {
  const consumer = new Consumer({ clientId: 'raw', groupId: newTopic(), bootstrapBrokers: [brokers] });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 });
  const messages: Message[] = [];
  for await (const message of stream) if (messages.push(message) === count) break;
  await consumer.close(true);
  return messages;
}
