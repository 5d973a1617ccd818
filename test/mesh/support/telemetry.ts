import { context, propagation, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';


export interface Telemetry {
  /** A tracer whose spans carry the service's name as their resource. */
  tracer(service: string): Tracer;
  /** Every span that has ended, in the order of their ends. */
  spans(): readonly ReadableSpan[];
  /** Forgets the spans so far. */
  reset(): void;
}

/** Spans kept in memory, those of all services together. */
export function createTelemetry(): Telemetry {
  const exporter = new InMemorySpanExporter();
  const processor = new SimpleSpanProcessor({ exporter });
  return {
    tracer: (service) =>
      new TracerProvider({ resource: resourceFromAttributes({ 'service.name': service }), spanProcessors: [processor] }).getTracer('test'),
    spans: () => exporter.getFinishedSpans(),
    reset: () => exporter.reset(),
  };
}

/** Lets spans nest and travel in this test process, as the process's tracing does. */
export function useTracePropagation(): void {
  before(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  });
  after(() => {
    context.disable();
    propagation.disable();
  });
}
