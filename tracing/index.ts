export { startTracing } from './start-tracing.ts';
export type { ExporterName, TracedService, Tracing, TracingOptions } from './tracing-options.ts';
export { failSpan, REASON_ATTRIBUTE, type SpanSettings, withSpan } from './with-span.ts';
export {
  currentTraceparent,
  extractContext,
  extractMetadata,
  injectContext,
  injectMetadata,
  linksTo,
  type MetadataLike,
} from './propagation.ts';
export { fetchTrace, type FetchTraceOptions } from './fetch-trace.ts';
export { waitForTrace, type WaitForTraceOptions } from './wait-for-trace.ts';
export {
  type AttributeValue,
  isWhole,
  type LinkedSpan,
  type SpanKindName,
  type SpanStatusName,
  type TraceNode,
  type TraceTree,
  walk,
} from './trace-tree.ts';
export { renderTrace, type RenderOptions } from './render-trace.ts';
