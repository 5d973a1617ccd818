import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, systemClock } from '#kit';

import { createGroupCommit } from '../../database/group-commit.ts';
import { until } from './until.ts';

describe('group commit', () => {
  /** A disk that is as slow as the test wants it to be. */
  function disk(fail: (group: readonly string[]) => unknown = () => undefined) {
    const groups: string[][] = [];
    const gates: (() => void)[] = [];
    const write = createGroupCommit<string, string>({ name: 'test.write', tracer: trace.getTracer('test'), clock: systemClock }, async (group) => {
      groups.push([...group]);
      const error = fail(group);
      if (error) throw error;
      await new Promise<void>((resolve) => gates.push(resolve));
      return group.map((entry) => `${entry}!`);
    });
    /** Waits until a group is on its way, and lets it arrive. */
    const settle = async (): Promise<void> => {
      await until('a group is on its way', () => gates.length > 0);
      gates.shift()?.();
    };
    return { write, groups, settle };
  }

  it('writes what gets ready in one moment together, and what gets ready meanwhile in the next group', async () => {
    const { write, groups, settle } = disk();
    const first = [write('a'), write('b')];
    await settle();
    expect(await Promise.all(first)).to.deep.equal(['a!', 'b!']);
    const second = write('c');
    await until('it is on its way', () => groups.length === 2);
    const third = [write('d'), write('e')];
    await settle();
    await settle();
    expect(await Promise.all([second, ...third])).to.deep.equal(['c!', 'd!', 'e!']);
    expect(groups).to.deep.equal([['a', 'b'], ['c'], ['d', 'e']]);
  });

  it('takes at most 100 at once', async () => {
    const { write, groups, settle } = disk();
    const all = Promise.all(Array.from({ length: 250 }, (_, index) => write(String(index))));
    for (let round = 0; round < 3; round += 1) await settle();
    expect(await all).to.have.length(250);
    expect(groups.map((group) => group.length)).to.deep.equal([100, 100, 50]);
  });

  it('lets no bad entry spoil the others', async () => {
    const { write, groups, settle } = disk((group) => (group.includes('bad') ? new Error('cannot be written') : undefined));
    const all = Promise.allSettled([write('a'), write('bad'), write('b')]);
    for (let round = 0; round < 2; round += 1) await settle();
    expect((await all).map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    expect(groups).to.deep.equal([['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
  });

  it('lets nobody wait for one that is written by itself', async () => {
    const { write, groups, settle } = disk((group) => (group.length > 1 ? new Error('one of these has to wait for a lock') : undefined));
    const alone = Promise.all([write('a'), write('b')]);
    await until('each is on its way', () => groups.length === 3);
    const next = write('c');
    await until('another group is on its way, too', () => groups.length === 4);
    for (let round = 0; round < 3; round += 1) await settle();
    expect(await Promise.all([alone, next])).to.deep.equal([['a!', 'b!'], 'c!']);
  });

  it('lets nobody wait for long behind a group that waits for a lock', async () => {
    const { write, groups, settle } = disk();
    const first = write('a');
    await until('it is on its way', () => groups.length === 1);
    const second = write('b');
    await until('the other one is on its way, too', () => groups.length === 2);
    for (let round = 0; round < 2; round += 1) await settle();
    expect(await Promise.all([first, second])).to.deep.equal(['a!', 'b!']);
  });

  it('has no more than four groups on their way, however long they take', async () => {
    const [crowded, other] = [disk(), disk()];
    const all: Promise<string | undefined>[] = [];
    for (let count = 1; count <= 4; count += 1) {
      all.push(crowded.write(String(count)));
      await until('one more is on its way', () => crowded.groups.length === count);
    }
    all.push(crowded.write('5'));
    // It begins later than the fourth. So when nobody waits for it any more, nobody would wait for that one either.
    const late = [other.write('a')];
    await until('it is on its way', () => other.groups.length === 1);
    late.push(other.write('b'));
    await until('nobody waits for it any more', () => other.groups.length === 2);
    expect(crowded.groups).to.deep.equal([['1'], ['2'], ['3'], ['4']]);
    for (let round = 0; round < 5; round += 1) await crowded.settle();
    for (let round = 0; round < 2; round += 1) await other.settle();
    expect(await Promise.all([...all, ...late])).to.deep.equal(['1!', '2!', '3!', '4!', '5!', 'a!', 'b!']);
  });

  it('does not ask again one by one where nobody answers', async () => {
    const { write, groups } = disk(() => refusal('DATABASE_UNAVAILABLE', 'away'));
    const all = await Promise.allSettled([write('a'), write('b')]);
    expect(all.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(groups).to.deep.equal([['a', 'b']]);
  });
});
