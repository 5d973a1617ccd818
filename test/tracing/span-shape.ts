import { expect } from 'chai';

import type { SpanKindName, TraceNode, TraceTree } from '#tracing';

/** What a test says about a span and those below it; ids, times and attributes are not part of a shape. */
export interface SpanShape {
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKindName;
  readonly failed: boolean;
  readonly children: readonly SpanShape[];
}

export interface ShapeOptions {
  /** Spans that do not matter to the test, such as a database's; what is below them moves up. */
  readonly ignore?: (node: TraceNode) => boolean;
}

/** A span that went well, with those below it in the order in which they start. */
export function span(kind: SpanKindName, service: string, name: string, ...children: SpanShape[]): SpanShape {
  return { service, name, kind, failed: false, children };
}

/** The same for a span whose status is an error. */
export function failedSpan(kind: SpanKindName, service: string, name: string, ...children: SpanShape[]): SpanShape {
  return { ...span(kind, service, name, ...children), failed: true };
}

/** Asserts that a trace has one root and looks like `shape`; the difference is shown as indented text. */
export function expectShape(tree: TraceTree, shape: SpanShape, options: ShapeOptions = {}): void {
  const actual = shapesOf(tree.roots, options).flatMap((root) => outline(root));
  expect(actual.join('\n')).to.equal(outline(shape).join('\n'));
}

function shapesOf(nodes: readonly TraceNode[], options: ShapeOptions): SpanShape[] {
  return nodes.flatMap((node) => {
    const children = shapesOf(node.children, options);
    if (options.ignore?.(node) === true) return children;
    const orphan = node.missingParent === '' ? '' : ' (orphan)';
    return [
      { service: node.service, name: node.name + orphan, kind: node.kind, failed: node.status === 'error', children },
    ];
  });
}

function outline({ service, name, kind, failed, children }: SpanShape): string[] {
  const line = `${service}: ${name} [${kind}]${failed ? ' failed' : ''}`;
  return [line, ...children.flatMap((child) => outline(child)).map((below) => `  ${below}`)];
}
