import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** The spans as an indented list, a parent above its children: `order SERVER shop.order.v1.OrderService/GetOrder OK`. */
export function traceShape(spans: readonly ReadableSpan[]): string[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const childrenOf = (parent: string | undefined): ReadableSpan[] =>
    spans.filter(({ parentSpanContext: { spanId } = { spanId: '' } }) => (parent ? spanId === parent : !ids.has(spanId)));
  const render = (span: ReadableSpan, indent: string): string[] => [
    `${indent}${String(span.resource.attributes['service.name'])} ${SpanKind[span.kind]} ${span.name} ${String(span.attributes['rpc.response.status_code'])}`,
    ...childrenOf(span.spanContext().spanId).flatMap((child) => render(child, `${indent}  `)),
  ];
  return childrenOf(undefined).flatMap((root) => render(root, ''));
}
