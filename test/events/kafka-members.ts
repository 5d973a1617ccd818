import { expect } from 'chai';

import { until } from '../database/until.ts';
import { createCollector, eventsOf, manySubjects, type MemberProcess, newTopic, startMemberProcess } from './bus-conformance-support.ts';
import { openKafkaBus, opener } from './kafka-test-bus.ts';

/** Two processes in a group, of which one is ill-treated. */
export function kafkaMembers(given: { readonly brokers: string }): void {
  let member: MemberProcess | undefined;
  afterEach(async () => {
    await member?.kill();
    member = undefined;
  });

  it('a member that is killed while both work: the other one goes on, in order and without a gap', async () => {
    const topic = newTopic();
    const bus = openKafkaBus(given.brokers);
    const collector = createCollector();
    bus.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
    const killed = (member = startMemberProcess({ opener, address: given.brokers }, { group: topic, topic, pauseMs: 2 }));
    const subjects = manySubjects(40);
    let round = 0;
    const publishMore = (): Promise<void> => bus.publish(eventsOf(topic, subjects, 1, (round += 1)));
    await until('the process gets some', async () => {
      await publishMore();
      return killed.received.length > 40;
    });
    await publishMore();
    await killed.kill();
    await publishMore();
    await until('all is taken', async () => (await bus.lag(topic, [topic]))[0]?.events === 0);
    await bus.stop();
    const seen = new Set([...killed.received, ...collector.events.map(({ subject, data }) => `${subject} ${String(data['number'])}`)]);
    expect(seen.size).to.equal(subjects.length * round);
    for (const subject of subjects) {
      const numbers = collector.numbersOf(subject);
      expect(numbers, subject).to.deep.equal(numbers.toSorted((a, b) => a - b));
    }
  });

  it('a member that was paused: when it wakes, it delivers nothing more of what another has taken over', async () => {
    const topic = newTopic();
    const publisher = openKafkaBus(given.brokers);
    const paused = (member = startMemberProcess({ opener, address: given.brokers }, { group: topic, topic, pauseMs: 5 }));
    const subjects = manySubjects(40);
    const published = eventsOf(topic, subjects, 20);
    await publisher.publish(published);
    await until('the process has begun', () => paused.received.length > 50);
    paused.child.kill('SIGSTOP');
    const other = openKafkaBus(given.brokers);
    const collector = createCollector();
    other.subscribe({ group: topic, topics: [topic], deliver: collector.deliver });
    await until('the other has taken all', async () => (await publisher.lag(topic, [topic]))[0]?.events === 0);
    const receivedBefore = paused.received.length;
    paused.child.kill('SIGCONT');
    const next = subjects.map((subject) => `${subject} 21`);
    await until('the process gets new events again', async () => {
      await publisher.publish(eventsOf(topic, subjects, 1, 21));
      return paused.received.some((line) => next.includes(line));
    });
    expect(paused.received.slice(receivedBefore).filter((line) => !next.includes(line))).to.deep.equal([]);
    await Promise.all([other.stop(), publisher.stop()]);
  });
}
