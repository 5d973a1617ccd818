import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, systemClock } from '#kit';

import { createReadGroup } from '../../database/read-group.ts';
import { until } from './until.ts';

describe('read group', () => {
  /** A table whose reads take as long as the test wants. */
  function table(rows: Record<string, number>, fail: (keys: readonly string[]) => unknown = () => undefined) {
    const asked: (readonly string[])[] = [];
    const gates: (() => void)[] = [];
    const read = createReadGroup({ name: 'test.read', tracer: trace.getTracer('test'), clock: systemClock }, async (keys) => {
      asked.push(keys);
      const error = fail(keys);
      if (error) throw error;
      const found = new Map(keys.flatMap((key) => (key in rows ? [[key, { key, value: rows[key] }]] : [])));
      await new Promise<void>((resolve) => gates.push(resolve));
      return found;
    });
    /** Waits until a read is under way, and lets it end. */
    const settle = async (): Promise<void> => {
      await until('a read is under way', () => gates.length > 0);
      gates.shift()?.();
    };
    return { read, asked, settle };
  }

  it('asks for all that is wanted at the same moment in one go, for each key once', async () => {
    const { read, asked, settle } = table({ a: 1, b: 2, c: 3 });
    const answers = Promise.all([read(['a', 'b']), read(['c', 'a'])]);
    await settle();
    expect((await answers).map((rows) => rows.map(({ value }) => value))).to.deep.equal([[1, 2], [3, 1]]);
    expect(asked).to.deep.equal([['a', 'b', 'c']]);
  });

  it('gives each the rows of its own keys, in their order, and leaves out those that there are not', async () => {
    const { read, settle } = table({ a: 1, b: 2 });
    const answers = Promise.all([read(['b', 'nowhere', 'a']), read(['nowhere']), read([])]);
    await settle();
    expect((await answers).map((rows) => rows.map(({ key }) => key))).to.deep.equal([['b', 'a'], [], []]);
  });

  it('does not answer with what was read before it was asked', async () => {
    const rows: Record<string, number> = { a: 1 };
    const { read, asked, settle } = table(rows);
    const before = read(['a']);
    await until('it is being read', () => asked.length === 1);
    rows['a'] = 2;
    const after = read(['a']);
    await settle();
    await settle();
    expect([...(await before), ...(await after)].map(({ value }) => value)).to.deep.equal([1, 2]);
  });

  it('lets no key that cannot be read spoil what others ask for', async () => {
    const { read, settle } = table({ a: 1 }, (keys) => (keys.includes('bad') ? refusal('INTERNAL', 'no such key can be') : undefined));
    const answers = Promise.allSettled([read(['bad']), read(['a'])]);
    await settle();
    expect((await answers).map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled']);
  });
});
