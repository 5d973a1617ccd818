export { startTracing } from './start-tracing.ts';
export type { ExporterName, TracedService, Tracing, TracingOptions } from './tracing-options.ts';
export { failSpan, REASON_ATTRIBUTE, type SpanSettings, withSpan } from './with-span.ts';
export { currentTraceparent, extractContext } from './propagation.ts';
export { fetchTrace } from './fetch-trace.ts';
export { searchTraces, type TraceSearch } from './search-traces.ts';
export { settledTrace, waitForTrace, type WaitForTraceOptions } from './wait-for-trace.ts';
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
export { describeGaps, isComplete } from './trace-gaps.ts';
export { describeTrace, linkedTraces, type TraceDescription } from './describe-trace.ts';
export { renderTrace, type RenderOptions } from './render-trace.ts';
export { renderSummary } from './render-summary.ts';
