import { expect } from 'chai';

import { criticalPath, ownTimes } from '../../tracing/critical-path.ts';
import { pathShares } from '../../tracing/path-shares.ts';
import { buildTree, endOf, type TraceNode, type TraceTree, walk } from '../../tracing/trace-tree.ts';
import { EPOCH_US, type SpanDraft, traceOf } from './trace-json.ts';

const MS = 1_000;

/** A span from one millisecond to another. */
function span(id: string, parent: string | undefined, fromMs: number, toMs: number, kind?: string): SpanDraft {
  const tags = kind === undefined ? {} : { 'span.kind': kind };
  return { id, ...(parent !== undefined && { parent }), startUs: fromMs * MS, durationUs: (toMs - fromMs) * MS, tags };
}

/** The path as `name from-to`, in milliseconds; a pause has no name. */
function pathOf(...spans: readonly SpanDraft[]): string[] {
  return criticalPath(buildTree(traceOf(...spans))).map(({ node, fromUs, toUs }) => {
    const [from, to] = [(fromUs - EPOCH_US) / MS, (toUs - EPOCH_US) / MS];
    return `${node?.name ?? 'pause'} ${from}-${to}`;
  });
}

describe('critical path', () => {
  it('is the span itself where nothing is below it', () => {
    expect(pathOf(span('a', undefined, 0, 10))).to.deep.equal(['a 0-10']);
    expect(pathOf()).to.deep.equal([]);
  });

  it('goes through children one after the other, and through the parent between them', () => {
    expect(pathOf(span('a', undefined, 0, 10), span('b', 'a', 1, 4), span('c', 'a', 5, 9))).to.deep.equal([
      'a 0-1',
      'b 1-4',
      'a 4-5',
      'c 5-9',
      'a 9-10',
    ]);
  });

  it('goes down as far as it can', () => {
    expect(pathOf(span('a', undefined, 0, 10), span('b', 'a', 1, 9), span('c', 'b', 2, 8))).to.deep.equal([
      'a 0-1',
      'b 1-2',
      'c 2-8',
      'b 8-9',
      'a 9-10',
    ]);
  });

  it('of children that overlap takes the one that ended last, whatever else was running', () => {
    expect(pathOf(span('a', undefined, 0, 10), span('quick', 'a', 1, 5), span('slow', 'a', 2, 9))).to.deep.equal([
      'a 0-2',
      'slow 2-9',
      'a 9-10',
    ]);
  });

  it('takes the sibling that had ended when the last one began', () => {
    expect(
      pathOf(
        span('a', undefined, 0, 20),
        span('first', 'a', 1, 6),
        span('beside', 'a', 1, 15),
        span('second', 'a', 7, 18),
      ),
    ).to.deep.equal(['a 0-1', 'first 1-6', 'a 6-7', 'second 7-18', 'a 18-20']);
  });

  it('leaves out a child that outlives its parent, when the trace goes on without it', () => {
    expect(
      pathOf(
        span('a', undefined, 0, 20),
        span('step', 'a', 1, 10),
        span('left behind', 'step', 2, 15),
        span('within', 'step', 3, 9),
      ),
    ).to.deep.equal(['a 0-1', 'step 1-3', 'within 3-9', 'step 9-10', 'a 10-20']);
  });

  it('leads back from a child that ends after everything else, through what came before it', () => {
    expect(
      pathOf(
        span('answered', undefined, 0, 5),
        span('reserve', 'answered', 1, 3),
        span('charge', 'answered', 4, 12),
        span('confirm', 'answered', 15, 20),
      ),
    ).to.deep.equal(['answered 0-1', 'reserve 1-3', 'answered 3-4', 'charge 4-12', 'pause 12-15', 'confirm 15-20']);
  });

  it('is the parent up to its end where what came after began in a pause', () => {
    expect(pathOf(span('a', undefined, 0, 5), span('later', 'a', 8, 9))).to.deep.equal([
      'a 0-5',
      'pause 5-8',
      'later 8-9',
    ]);
  });

  it('goes into the callee up to where the caller stopped waiting', () => {
    expect(
      pathOf(
        span('a', undefined, 0, 30),
        span('call', 'a', 1, 10, 'client'),
        span('serve', 'call', 2, 25, 'server'),
        span('done', 'serve', 3, 5),
        span('running', 'serve', 6, 24),
      ),
    ).to.deep.equal(['a 0-1', 'call 1-2', 'serve 2-3', 'done 3-5', 'serve 5-6', 'running 6-10', 'a 10-30']);
  });

  it('takes clocks as they are: what seems to run on for less than they differ by is over', () => {
    expect(pathOf(span('z', undefined, 0, 20), span('a', 'z', 0, 10), span('b', 'a', 1, 10.4))).to.deep.equal([
      'a 0-1',
      'b 1-10',
      'z 10-20',
    ]);
    expect(pathOf(span('a', undefined, 0, 30), span('b', 'a', 0, 20.9), span('c', 'a', 20, 30))).to.deep.equal([
      'b 0-20',
      'c 20-30',
    ]);
    expect(pathOf(span('a', undefined, 0, 3), span('b', 'a', 0, 1.9), span('c', 'a', 1, 3))).to.deep.equal([
      'a 0-1',
      'c 1-3',
    ]);
  });

  it('begins with a child whose clock is behind its parent\'s', () => {
    expect(pathOf(span('a', undefined, 5, 10), span('early', 'a', 2, 8))).to.deep.equal(['pause 2-5', 'early 5-8', 'a 8-10']);
    expect(pathOf(span('a', undefined, 5, 10), span('early', 'a', 2, 12))).to.deep.equal(['early 2-12']);
  });

  it('takes orphans as they come, with pauses between them', () => {
    expect(pathOf(span('a', 'gone', 0, 4), span('b', 'gone too', 6, 9))).to.deep.equal(['a 0-4', 'pause 4-6', 'b 6-9']);
  });

  it('does not overflow on a trace that is one long chain', () => {
    const chain = Array.from({ length: 20_000 }, (_, index) =>
      span(`s${index}`, index === 0 ? undefined : `s${index - 1}`, index, 60_000 - index),
    );
    expect(pathOf(...chain)).to.have.length(2 * 20_000 - 1);
  });

  it('of any trace adds up to the time from its first start to its last end, each stretch within its span', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const tree = anyTree(seed);
      const path = criticalPath(tree);
      const nodes = [...walk(tree.roots)];
      let atUs = Math.min(...nodes.map(({ startUs }) => startUs));
      for (const { node, fromUs, toUs } of path) {
        expect(fromUs, `no gap and no overlap, seed ${seed}`).to.equal(atUs);
        expect(toUs, `no empty stretch, seed ${seed}`).to.be.greaterThan(fromUs);
        const isWithin = node === undefined || (node.startUs <= fromUs && endOf(node) >= toUs);
        expect(isWithin, `within its span, seed ${seed}`).to.equal(true);
        atUs = toUs;
      }
      expect(atUs, `seed ${seed}`).to.equal(Math.max(...nodes.map(endOf)));
      const own = [...ownTimes(path).values()].reduce((sum, us) => sum + us, 0);
      expect(own, `seed ${seed}`).to.equal(atUs - (path[0]?.fromUs ?? 0));
    }
  });

  it('does not change when a span beside it takes a little longer, and does when one on it does', () => {
    const spans = [span('a', undefined, 0, 10), span('quick', 'a', 1, 5), span('slow', 'a', 2, 9)];
    const longer = (id: string): SpanDraft[] =>
      spans.map((draft) => (draft.id === id ? { ...draft, durationUs: (draft.durationUs ?? 0) + 500 } : draft));
    expect(pathOf(...longer('quick'))).to.deep.equal(pathOf(...spans));
    expect(pathOf(...longer('slow'))).to.not.deep.equal(pathOf(...spans));
  });
});

describe('shares of the critical path', () => {
  it('sum up what is each operation\'s own, the largest first', () => {
    const spans: SpanDraft[] = [
      { id: 'a', name: 'Place', durationUs: 100 },
      { id: 'b', parent: 'a', service: 'stock', name: 'Reserve', startUs: 10, durationUs: 20 },
      { id: 'c', parent: 'a', service: 'stock', name: 'Reserve', startUs: 40, durationUs: 50 },
      { id: 'd', parent: 'a', name: 'beside', startUs: 41, durationUs: 5 },
      { id: 'e', parent: 'a', name: 'after', startUs: 120, durationUs: 80 },
    ];
    expect(pathShares(buildTree(traceOf(...spans)))).to.deep.equal([
      { service: 'order', operation: 'after', kind: 'internal', us: 80, share: 0.4, count: 1 },
      { service: 'stock', operation: 'Reserve', kind: 'internal', us: 70, share: 0.35, count: 2 },
      { service: 'order', operation: 'Place', kind: 'internal', us: 30, share: 0.15, count: 1 },
      { service: '', operation: '', kind: '', us: 20, share: 0.1, count: 1 },
    ]);
  });
});

/** Spans at random, of any kind and depth, within their parents or not; the same for the same seed. */
function anyTree(seed: number): TraceTree {
  const random = randomFrom(seed);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const drafts: SpanDraft[] = Array.from({ length: 1 + upTo(30) }, (_, index) => ({
    id: `s${index}`,
    ...(index > 0 && { parent: random() < 0.05 ? 'gone' : `s${upTo(index)}` }),
    startUs: upTo(1_000),
    durationUs: random() < 0.1 ? 0 : upTo(1_000),
    tags: { 'span.kind': ['client', 'server', 'internal'][upTo(3)] ?? 'internal' },
  }));
  const tree = buildTree(traceOf(...drafts));
  // A trace of no length has no path.
  const nodes: TraceNode[] = [...walk(tree.roots)];
  return nodes.every((node) => endOf(node) === nodes[0]?.startUs) ? anyTree(seed + 100_000) : tree;
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
