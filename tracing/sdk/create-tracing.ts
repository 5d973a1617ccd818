import type { Tracer } from '@opentelemetry/api';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';

import { refusal, systemClock } from '#kit';

import type { TracedService, Tracing, TracingOptions } from '../tracing-options.ts';
import { chooseDestination } from './destination.ts';
import { createGuardedExporter, type GuardedExporter } from './guarded-exporter.ts';
import { setUpNode, type SpanPipeline } from './node-sdk.ts';
import { createPreciseTimes } from './precise-times.ts';
import { settlesWithin } from './settles-within.ts';

/** The instrumentation scope of every span: this runtime. */
const SCOPE = 'shopmesh';

/** What one span may hold at most, so that a queue of spans is a bound on memory. Beyond it the SDK drops and counts. */
const SPAN_LIMITS = {
  attributeCountLimit: 64,
  attributeValueLengthLimit: 2_048,
  eventCountLimit: 32,
  linkCountLimit: 32,
} as const;

/** The exporter's own limit comes first; the guard's is for an exporter that has none. */
const GUARD_SLACK_MS = 1_000;

export function createTracing(options: TracingOptions): Tracing {
  const { log, flushTimeoutMs = 2_000 } = options;
  const exporter = createExporter(options);
  const pipeline = createPipeline(options, exporter);
  const tracers = new Map<string, Tracer>();
  const setup = setUpNode(pipeline, resourceOf({ [ATTR_SERVICE_NAME]: SCOPE }), log);
  const ready = setup.then(() => undefined);
  // Whoever awaits it hears of a failure; with nobody awaiting it yet it must not end the process.
  ready.catch(() => undefined);
  let stopping: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    await Promise.all(pipeline.spanProcessors.map((processor) => processor.forceFlush()));
    await exporter?.forceFlush();
  }

  async function flush(): Promise<void> {
    await settlesWithin(sendAll(), flushTimeoutMs);
  }

  async function close(): Promise<void> {
    // The exporter first: from here on it drops, so that nothing below waits for a backend that is gone.
    await exporter?.shutdown();
    await Promise.all(pipeline.spanProcessors.map((processor) => processor.shutdown()));
    await setup.then((node) => node.undo());
  }

  async function stop(): Promise<void> {
    exporter?.hurry();
    await flush();
    await settlesWithin(close(), flushTimeoutMs);
  }

  return {
    ready,
    flush,
    tracer(service) {
      const key = JSON.stringify([service.service, service.version, service.instanceId]);
      const tracer = tracers.get(key) ?? createTracer(service, pipeline);
      tracers.set(key, tracer);
      return tracer;
    },
    stop: () => (stopping ??= stop()),
  };
}

function createExporter(options: TracingOptions): GuardedExporter | undefined {
  const { exportTimeoutMs = 3_000, clock = systemClock, log } = options;
  const destination = chooseDestination(options, exportTimeoutMs);
  return (
    destination && createGuardedExporter({ ...destination, timeoutMs: exportTimeoutMs + GUARD_SLACK_MS, clock, log })
  );
}

function createPipeline(options: TracingOptions, exporter: GuardedExporter | undefined): SpanPipeline {
  const { sampleRatio, maxQueuedSpans = 4_096, batchDelayMs = 500 } = options;
  if (!(sampleRatio >= 0 && sampleRatio <= 1)) {
    throw refusal('INVALID_SETTING', `the share of recorded traces is ${sampleRatio}; give a number from 0 to 1`);
  }
  const batch = {
    maxQueueSize: maxQueuedSpans,
    maxExportBatchSize: Math.min(512, maxQueuedSpans),
    scheduledDelayMillis: batchDelayMs,
  };
  return {
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: SPAN_LIMITS,
    spanProcessors:
      exporter === undefined ? [] : [createPreciseTimes(), new BatchSpanProcessor({ exporter, ...batch })],
  };
}

/**
 * A provider has one resource, and a process may hold several services; so each has a provider of its own.
 * They hold nothing: processor, exporter and context are the process's.
 */
function createTracer({ service, version, instanceId }: TracedService, pipeline: SpanPipeline): Tracer {
  const resource = resourceOf({
    [ATTR_SERVICE_NAME]: service,
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: instanceId,
  });
  return new TracerProvider({ ...pipeline, resource }).getTracer(SCOPE);
}

function resourceOf(attributes: Record<string, string>): Resource {
  return defaultResource().merge(resourceFromAttributes(attributes));
}
