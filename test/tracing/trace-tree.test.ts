import { expect } from 'chai';

import { isWhole, type TraceNode, walk } from '#tracing';

import { buildTree } from '../../tracing/trace-tree.ts';
import { traceOf } from './trace-json.ts';

const names = (nodes: readonly TraceNode[]): string[] => nodes.map(({ name }) => name);

describe('trace tree', () => {
  it('hangs spans below their parents, in the order in which they started', () => {
    const tree = buildTree(
      traceOf(
        { id: 'late', parent: 'root', startUs: 5 },
        { id: 'root' },
        { id: 'early', parent: 'root', startUs: 1 },
        { id: 'leaf', parent: 'late', startUs: 6 },
      ),
    );
    expect(names(tree.roots)).to.deep.equal(['root']);
    expect(names(tree.roots[0]?.children ?? [])).to.deep.equal(['early', 'late']);
    expect(names([...walk(tree.roots)])).to.deep.equal(['root', 'early', 'late', 'leaf']);
    expect(isWhole(tree)).to.equal(true);
    expect(tree.spanCount).to.equal(4);
  });

  it('reads kind, status, attributes and links', () => {
    const link = { traceId: 'f'.repeat(32), spanId: 'e'.repeat(16) };
    const tree = buildTree(
      traceOf({
        id: 'a',
        tags: {
          'span.kind': 'client',
          error: true,
          'otel.status_description': 'no stock is left',
          'error.type': 'NOT_FOUND',
        },
        links: [link],
      }),
    );
    const [node] = tree.roots;
    expect(node).to.include({ kind: 'client', status: 'error', statusMessage: 'no stock is left' });
    expect(node?.attributes['error.type']).to.equal('NOT_FOUND');
    expect(node?.links).to.deep.equal([link]);
  });

  it('shows a span whose parent is missing as a root that says so', () => {
    const tree = buildTree(
      traceOf(
        { id: 'root' },
        { id: 'orphan', parent: 'gone', startUs: 3 },
        { id: 'child', parent: 'orphan', startUs: 4 },
      ),
    );
    expect(names(tree.roots)).to.deep.equal(['root', 'orphan']);
    expect(tree.roots[1]).to.include({ missingParent: 'gone' });
    expect(names(tree.roots[1]?.children ?? [])).to.deep.equal(['child']);
    expect(isWhole(tree)).to.equal(false);
  });

  it('loses no span to a circle of references', () => {
    const tree = buildTree(
      traceOf(
        { id: 'a', parent: 'c' },
        { id: 'b', parent: 'a', startUs: 1 },
        { id: 'c', parent: 'b', startUs: 2 },
        { id: 'self', parent: 'self', startUs: 3 },
        { id: 'hanger', parent: 'b', startUs: 4 },
      ),
    );
    expect([...walk(tree.roots)]).to.have.length(5);
    expect(names(tree.roots)).to.deep.equal(['a', 'self']);
    expect(isWhole(tree)).to.equal(false);
  });

  it('does not overflow on a trace that is one long chain', () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => ({
      id: `s${index}`,
      startUs: index,
      ...(index > 0 && { parent: `s${index - 1}` }),
    }));
    const tree = buildTree(traceOf(...chain));
    expect([...walk(tree.roots)]).to.have.length(20_000);
  });
});
