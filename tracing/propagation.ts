import {
  type Context,
  context,
  isSpanContextValid,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';

/** The part of gRPC metadata that carries a trace. */
export interface MetadataLike {
  get(name: string): readonly unknown[];
  set(name: string, value: string): void;
}

type Carrier = Readonly<Record<string, string | undefined>>;

const metadataSetter: TextMapSetter<MetadataLike> = {
  set: (metadata, name, value) => metadata.set(name, value),
};

const metadataGetter: TextMapGetter<MetadataLike> = {
  // The propagator asks for its own names and never for a list of them.
  keys: () => [],
  get: (metadata, name) => {
    const [value] = metadata.get(name);
    return typeof value === 'string' ? value : undefined;
  },
};

/**
 * Writes `traceparent`, and `tracestate` if there is one, into a plain object: headers, or the columns
 * of an event row. Writes nothing outside of a span. Source: W3C Trace Context.
 */
export function injectContext(carrier: Record<string, string>, from: Context = context.active()): void {
  propagation.inject(from, carrier);
}

/**
 * The context that {@link injectContext} wrote elsewhere. `base` is what it is put on. The default is
 * nothing, and not the active context: a span that merely happens to be active where a request
 * or an event arrives is not its parent. What is malformed is ignored, as the standard asks.
 */
export function extractContext(carrier: Carrier, base: Context = ROOT_CONTEXT): Context {
  return propagation.extract(base, carrier);
}

/** {@link injectContext} for gRPC metadata. */
export function injectMetadata(metadata: MetadataLike, from: Context = context.active()): void {
  propagation.inject(from, metadata, metadataSetter);
}

/** {@link extractContext} for gRPC metadata. */
export function extractMetadata(metadata: MetadataLike, base: Context = ROOT_CONTEXT): Context {
  return propagation.extract(base, metadata, metadataGetter);
}

/** The active span as a W3C `traceparent` (`00-<trace id>-<span id>-01`), undefined outside of a span. */
export function currentTraceparent(): string | undefined {
  const span = trace.getSpanContext(context.active());
  if (span === undefined || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/** A link to the span that a carrier names, to be given to a new span: work that another process began. Empty without one. */
export function linksTo(carrier: Carrier): Link[] {
  const linked = trace.getSpanContext(extractContext(carrier));
  return linked === undefined ? [] : [{ context: linked }];
}
