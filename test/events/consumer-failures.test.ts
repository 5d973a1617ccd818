import { randomBytes } from 'node:crypto';

import { expect } from 'chai';

import { type DeadLetter, type Event, notYet, replayDeadLetter } from '#events';
import { refusal } from '#kit';

import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { numbered } from './event-bench.ts';
import { effectHandler, useHandBench } from './hand-consumer.ts';

describe('consumer that meets trouble', () => {
  const hand = useHandBench();
  const { start, numbers } = hand;

  it('tries a failed event again, and leaves nothing of the tries that failed', async () => {
    let tries = 0;
    const { bus, consumer } = start({ handlers: [effectHandler(() => void ((tries += 1) < 4 && fail('flaky')))] });
    await bus.deliver(numbered('a', 1));
    expect(await numbers()).to.deep.equal([1]);
    expect(consumer.read()).to.include({ handled: 1, retried: 3, dead: 0 });
  });

  it('sets an event aside that fails again and again, whole and with the reason, and goes on', async () => {
    const { log, lines } = captureLog('error');
    const refuse = ({ data }: Event): void => {
      if (data['reason'] === '1') throw refusal('USER_NOT_FOUND', 'nobody has this id');
    };
    const { bus, consumer } = start({ log, maxTries: 3, handlers: [effectHandler((_tx, event) => refuse(event))] });
    const event = { ...numbered('a', 1), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    await bus.deliver(event);
    await bus.deliver(numbered('a', 2));
    expect(await numbers()).to.deep.equal([2]);
    expect(consumer.read()).to.include({ handled: 1, dead: 1, retried: 2 });
    const [letter] = await hand.bench.letters();
    expect(letter).to.deep.include({ group: 'effects', eventId: event.id, type: event.type, subject: 'a', data: event.data, traceparent: event.traceparent, eventTime: event.time });
    expect(letter).to.include({ reason: 'USER_NOT_FOUND', message: 'nobody has this id', tries: 3, status: 'DEAD' });
    expect(lines).to.have.length(1);
    // The bus may well deliver it again.
    await bus.deliver(event);
    expect(await hand.bench.letters()).to.have.length(1);
    expect(await numbers()).to.deep.equal([2]);
  });

  it('does not count an outage, however long it lasts, and tells of it once', async () => {
    let tries = 0;
    const { log, lines } = captureLog();
    const { bus, consumer } = start({ log, maxTries: 2, handlers: [effectHandler(() => void ((tries += 1) < 30 && outage()))] });
    await Promise.all(['a', 'b', 'c'].map((subject) => bus.deliver(numbered(subject, 1))));
    expect(consumer.read()).to.include({ handled: 3, dead: 0 });
    const [begins, ends] = lines;
    expect([begins?.msg, ends?.msg]).to.deep.equal(['events wait: what their handlers need is not there now', 'events are handled again']);
  });

  it('waits for what another event must bring, and not for ever', async () => {
    let isThere = false;
    const early = effectHandler(() => {
      if (!isThere) throw notYet('the order is not known yet');
    });
    const { bus, consumer } = start({ maxTries: 2, handlers: [early] });
    const waiting = bus.deliver(numbered('a', 1));
    await until('it has waited some times', () => consumer.read().retried > 4);
    isThere = true;
    await waiting;
    expect(await numbers()).to.deep.equal([1]);
    isThere = false;
    await start({ tooEarlyMs: 20, handlers: [early] }).bus.deliver(numbered('a', 2));
    expect((await hand.bench.letters()).map(({ reason }) => reason)).to.deep.equal(['EVENT_TOO_EARLY']);
  });

  it('says of a fault what was thrown, briefly', async () => {
    const { bus } = start({ maxTries: 1, handlers: [effectHandler(() => { throw new TypeError(`no such field\0 ${'x'.repeat(600)}`); })] });
    await bus.deliver(numbered('a', 1));
    const [letter] = await hand.bench.letters();
    expect(letter?.reason).to.equal('INTERNAL');
    expect(letter?.message).to.have.length(500).and.match(/^TypeError: no such field\u{FFFD} x/u);
  });

  const strange: readonly [string, Partial<Event>, Partial<DeadLetter>][] = [
    ['data', { data: { orderId: 'a', reason: '\0' } }, { subject: 'a', data: {} }],
    ['subject', { subject: 'a\0b' }, { subject: 'a\u{FFFD}b', data: {} }],
    // As text that an index cannot compress.
    ['id', { id: randomBytes(5_000).toString('base64') }, { subject: 'a', data: {} }],
    ['time', { time: new Date(Number.NaN) }, { subject: 'a', data: {} }],
  ];
  for (const [what, more, kept] of strange) {
    it(`sets what is left of an event aside whose ${what} Postgres does not take, once, and it is not replayed`, async () => {
      const { bus, consumer } = start({ maxTries: 2, handlers: [effectHandler(() => fail('in vain'))] });
      const event = { ...numbered('a', 1), ...more };
      for (const each of [event, event]) await bus.deliver(each);
      const letters = await hand.bench.letters();
      expect(letters).to.have.length(1);
      expect(letters[0]).to.deep.include(kept);
      await replayDeadLetter(hand.bench.database, letters[0]?.deadLetterId ?? '', { who: 'operator', why: 'a try' });
      await until('it has failed again', async () => (await hand.bench.letters())[0]?.reason === 'EVENT_UNREADABLE');
      expect(consumer.read()).to.include({ replayed: 0, handled: 0 });
    });
  }

  it('does not try what it cannot read', async () => {
    const { bus, consumer } = start();
    const event = { ...numbered('a', 1), data: { orderId: { not: 'text' } } };
    for (const each of [event, event]) await bus.deliver(each);
    expect(consumer.read()).to.include({ retried: 0, dead: 1, duplicate: 1 });
    expect((await hand.bench.letters()).map(({ reason }) => reason)).to.deep.equal(['EVENT_UNREADABLE']);
  });

  it('gives an event back when it stops, without waiting for the end of an outage', async () => {
    const { bus, consumer } = start({ firstPauseMs: 60_000, longestPauseMs: 60_000, handlers: [effectHandler(() => outage())] });
    const given = bus.deliver(numbered('a', 1));
    await until('it has failed once', () => consumer.read().retried === 1);
    const stopped = consumer.stop();
    await expectRefusal('CANCELLED', given);
    await stopped;
    expect(await hand.bench.count('inbox')).to.equal(0);
  });
});

function fail(why: string): never {
  throw new Error(why);
}

function outage(): never {
  throw refusal('UNREACHABLE', 'gone');
}
