import { expect } from 'chai';

import { type Consumer, type ConsumerOptions, discardDeadLetter, findDeadLetter, listDeadLetters, replayDeadLetter, replayDeadLetters } from '#events';
import { refusal } from '#kit';

import { expectRefusal } from '../database/expect-refusal.ts';
import { runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { type EventBench, numbered, startEventBench } from './event-bench.ts';
import { effectHandler, startHandConsumer } from './hand-consumer.ts';

const BY = { who: 'operator', why: 'the handler is mended' };

describe('dead letters', () => {
  let bench: EventBench;
  /** What the handler throws; undefined: it works. */
  let trouble: Error | undefined;
  before(async function () {
    this.timeout(20_000);
    bench = await startEventBench();
  });
  beforeEach(() => void (trouble = refusal('USER_NOT_FOUND', 'nobody has this id')));
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  const handlers = [
    effectHandler(() => {
      if (trouble) throw trouble;
    }),
  ];

  /** Events that all became dead letters; returns their ids, oldest first. */
  async function bury(count: number, options: Partial<ConsumerOptions> = {}): Promise<{ ids: string[]; consumer: Consumer }> {
    const { bus, consumer } = startHandConsumer(bench, { handlers, maxTries: 1, ...options });
    for (let number = 1; number <= count; number += 1) await bus.deliver(numbered('a', number));
    return { ids: (await bench.letters()).map(({ deadLetterId }) => deadLetterId).reverse(), consumer };
  }

  const numbers = async (): Promise<number[]> => (await bench.effects()).map(({ number }) => number);
  const statuses = async (): Promise<string[]> => (await bench.letters()).map(({ status }) => status).reverse();

  it('are replayed through their handler, and have their effect once, also with several instances', async () => {
    const { ids, consumer } = await bury(5);
    const others = [1, 2].map(() => startHandConsumer(bench, { handlers }).consumer);
    trouble = undefined;
    await replayDeadLetter(bench.database, ids[0] ?? '', BY);
    await until('the first has had its effect', async () => (await statuses())[0] === 'REPLAYED');
    expect(await numbers()).to.deep.equal([1]);
    expect(await replayDeadLetters(bench.database, { group: 'effects', reason: 'USER_NOT_FOUND' }, BY)).to.equal(4);
    await until('all have', async () => (await statuses()).every((status) => status === 'REPLAYED'));
    expect((await numbers()).sort()).to.deep.equal([1, 2, 3, 4, 5]);
    const replayed = (): number => [consumer, ...others].reduce((sum, each) => sum + each.read().replayed, 0);
    await until('they have counted all', () => replayed() >= 5);
    expect(replayed()).to.equal(5);
    expect(await findDeadLetter(bench.database, ids[0] ?? '')).to.include({ ...BY, tries: 2 });
  });

  it('of one subject are replayed in their order, also by several instances', async () => {
    const begun: number[] = [];
    const firstHeld = Promise.withResolvers<void>();
    const held = [
      effectHandler(async (_tx, { subject, data }) => {
        if (trouble) throw trouble;
        begun.push(Number(data['reason']));
        if (subject === 'a' && data['reason'] === '1') await firstHeld.promise;
      }),
    ];
    const { bus } = startHandConsumer(bench, { handlers: held, maxTries: 1 });
    for (const [subject, number] of [['a', 1], ['a', 2], ['b', 3]] as const) await bus.deliver(numbered(subject, number));
    startHandConsumer(bench, { handlers: held });
    trouble = undefined;
    await replayDeadLetters(bench.database, {}, BY);
    await until('another subject has gone ahead', async () => (await statuses())[2] === 'REPLAYED');
    expect(begun.toSorted()).to.deep.equal([1, 3]);
    firstHeld.resolve();
    await until('all are replayed', async () => (await statuses()).every((status) => status === 'REPLAYED'));
    expect((await numbers()).filter((number) => number < 3)).to.deep.equal([1, 2]);
  });

  it('that fail again are dead again, with the new reason', async () => {
    const { ids } = await bury(1);
    trouble = refusal('INVALID_ARGUMENT', 'the address is none');
    await replayDeadLetter(bench.database, ids[0] ?? '', BY);
    await until('it is dead again', async () => (await statuses())[0] === 'DEAD');
    expect(await findDeadLetter(bench.database, ids[0] ?? '')).to.include({ reason: 'INVALID_ARGUMENT', message: 'the address is none', tries: 2 });
    expect(await numbers()).to.deep.equal([]);
  });

  it('stay due in an outage, and go on when it is over', async () => {
    const { ids } = await bury(1);
    trouble = refusal('UNREACHABLE', 'gone');
    await replayDeadLetter(bench.database, ids[0] ?? '', BY);
    await expectRefusal('DEAD_LETTER_SETTLED', replayDeadLetter(bench.database, ids[0] ?? '', BY));
    trouble = undefined;
    await until('it had its effect', async () => (await statuses())[0] === 'REPLAYED');
    expect((await findDeadLetter(bench.database, ids[0] ?? '')).reason).to.equal('USER_NOT_FOUND');
  });

  it('whose type nobody handles any more say so when they are replayed', async () => {
    const { ids } = await bury(1);
    await runSql(bench.url, `UPDATE shop.dead_letter SET type = 'shop.order.v1.OrderPainted'`);
    await replayDeadLetter(bench.database, ids[0] ?? '', BY);
    await until('it is dead again', async () => (await statuses())[0] === 'DEAD');
    expect((await findDeadLetter(bench.database, ids[0] ?? '')).reason).to.equal('EVENT_UNREADABLE');
  });

  it('can be given up, which is written down, and is the end of it', async () => {
    const { ids } = await bury(2);
    await discardDeadLetter(bench.database, ids[0] ?? '', { who: 'operator', why: 'a test order' });
    trouble = undefined;
    expect(await replayDeadLetters(bench.database, {}, BY)).to.equal(1);
    await until('the other is replayed', async () => (await statuses())[1] === 'REPLAYED');
    expect(await numbers()).to.deep.equal([2]);
    expect(await findDeadLetter(bench.database, ids[0] ?? '')).to.include({ status: 'DISCARDED', who: 'operator', why: 'a test order' });
    await expectRefusal('DEAD_LETTER_SETTLED', replayDeadLetter(bench.database, ids[0] ?? '', BY));
    await expectRefusal('DEAD_LETTER_SETTLED', discardDeadLetter(bench.database, ids[1] ?? '', BY));
    await expectRefusal('DEAD_LETTER_NOT_FOUND', discardDeadLetter(bench.database, 'none', BY));
  });

  it('are listed newest first, page by page, by group, reason and status', async () => {
    const { ids } = await bury(3);
    const list = (only: Parameters<typeof listDeadLetters>[1], size = 10, after?: string) => listDeadLetters(bench.database, only, { size, after });
    expect((await list({}, 1)).map(({ deadLetterId }) => deadLetterId)).to.deep.equal([ids[2], ids[1]]);
    expect((await list({}, 1, ids[1])).map(({ deadLetterId }) => deadLetterId)).to.deep.equal([ids[0]]);
    expect(await list({ group: 'effects', reason: 'USER_NOT_FOUND', status: 'DEAD' })).to.have.length(3);
    for (const none of [{ group: 'other' }, { reason: 'INTERNAL' }, { status: 'DUE' as const }]) expect(await list(none)).to.have.length(0);
  });
});
