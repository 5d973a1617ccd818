import { expect } from 'chai';

import { readExport } from '../../tracing/collector/otlp-json.ts';
import { createSpanStore } from '../../tracing/collector/span-store.ts';
import { exportOf } from './otlp-json.ts';

const id = (digit: string): string => digit.repeat(32);
const generous = { maxSpans: 1_000, maxSpansPerTrace: 1_000, maxBytes: 1_000_000 };

describe('span store', () => {
  it('evicts the oldest trace when there are too many spans', () => {
    const store = createSpanStore({ ...generous, maxSpans: 10 });
    for (const digit of ['a', 'b', 'c']) store.add(readExport(exportOf(4, id(digit))), 100);
    expect(store.traces().map(({ traceId }) => traceId)).to.deep.equal([id('c'), id('b')]);
    expect(store.get(id('a'))).to.equal(undefined);
  });

  it('evicts the oldest trace when they weigh too much, down to none', () => {
    const store = createSpanStore({ ...generous, maxBytes: 1_000 });
    store.add(readExport(exportOf(1, id('a'))), 600);
    store.add(readExport(exportOf(1, id('b'))), 600);
    expect(store.traces().map(({ traceId }) => traceId)).to.deep.equal([id('b')]);
    store.add(readExport(exportOf(1, id('c'))), 5_000);
    expect(store.traces()).to.deep.equal([]);
    store.add(readExport(exportOf(1, id('d'))), 600);
    expect(store.traces()).to.have.length(1);
  });

  it('keeps a bounded number of spans of one trace and counts the others', () => {
    const store = createSpanStore({ ...generous, maxSpansPerTrace: 3 });
    store.add(readExport(exportOf(5, id('a'))), 100);
    expect(store.get(id('a'))).to.include({ droppedCount: 2 });
    expect(store.get(id('a'))?.spans.size).to.equal(3);
  });

  it('counts a span that came twice once', () => {
    const store = createSpanStore({ ...generous, maxSpans: 4 });
    store.add(readExport(exportOf(2, id('a'))), 100);
    for (let again = 0; again < 5; again += 1) store.add(readExport(exportOf(2, id('b'))), 100);
    expect(store.traces()).to.have.length(2);
  });
});
