import { ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';

import { refusal, systemClock, systemRandom } from '#kit';

import type { TracedService, Tracing, TracingOptions } from '../tracing-options.ts';
import { createTracer, type TracerOptions } from './create-tracer.ts';
import { chooseDestination } from './destination.ts';
import { createGuardedExporter, type GuardedExporter } from './guarded-exporter.ts';
import { createIdSource } from './random-ids.ts';
import { setUpProcess } from './set-up-process.ts';
import { settlesWithin } from './settles-within.ts';
import { createSpanClock } from './span-clock.ts';

/** The instrumentation scope of every span of ours: this runtime. */
const SCOPE = { name: 'shopmesh' };

/** The exporter's own limit comes first; the guard's is for an exporter that has none. */
const GUARD_SLACK_MS = 1_000;

/** What all tracers of a process share. */
type SharedOptions = Omit<TracerOptions, 'resource' | 'scope'>;

export function createTracing(options: TracingOptions): Tracing {
  const { log, flushTimeoutMs = 2_000 } = options;
  const exporter = createExporter(options);
  const processor = exporter && createProcessor(options, exporter);
  const shared = createShared(options, processor);
  const tracers = new Map<string, Tracer>();
  const resource = resourceOf({ [ATTR_SERVICE_NAME]: SCOPE.name });
  const getTracer = (name: string, version = ''): Tracer => createTracer({ ...shared, resource, scope: { name, version } });
  const undo = setUpProcess({ getTracer }, log);
  let stopping: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    await processor?.forceFlush();
    await exporter?.forceFlush();
  }

  async function flush(): Promise<void> {
    await settlesWithin(sendAll(), flushTimeoutMs);
  }

  async function close(): Promise<void> {
    // The exporter first: from here on it drops, so that nothing below waits for a backend that is gone.
    await exporter?.shutdown();
    await processor?.shutdown();
  }

  async function stop(): Promise<void> {
    exporter?.hurry();
    await flush();
    await settlesWithin(close(), flushTimeoutMs);
    undo();
  }

  return {
    flush,
    tracer(service) {
      const key = JSON.stringify([service.service, service.version, service.instanceId]);
      const tracer = tracers.get(key) ?? createTracer({ ...shared, resource: resourceOfService(service), scope: SCOPE });
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

function createProcessor(options: TracingOptions, exporter: GuardedExporter): BatchSpanProcessor {
  const { maxQueuedSpans = 4_096, batchDelayMs = 500 } = options;
  return new BatchSpanProcessor({
    exporter,
    maxQueueSize: maxQueuedSpans,
    maxExportBatchSize: Math.min(512, maxQueuedSpans),
    scheduledDelayMillis: batchDelayMs,
  });
}

function createShared({ sampleRatio, random = systemRandom }: TracingOptions, processor: BatchSpanProcessor | undefined): SharedOptions {
  if (!(sampleRatio >= 0 && sampleRatio <= 1)) {
    throw refusal('INVALID_SETTING', `the share of recorded traces is ${sampleRatio}; give a number from 0 to 1`);
  }
  // By the trace's id, and by the SDK's rule: whoever else samples the same share takes the same traces.
  const sampler = new TraceIdRatioBasedSampler(sampleRatio);
  return {
    ids: createIdSource(random),
    clock: createSpanClock(),
    // Reading the id costs 0.4 us, and where all traces are recorded it says nothing.
    isSampled: (traceId) => sampleRatio === 1 || sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED,
    onEnd: (span) => processor?.onEnd(span),
  };
}

/** What tells the services of one process apart, wherever their spans arrive. */
function resourceOfService({ service, version, instanceId }: TracedService): Resource {
  return resourceOf({
    [ATTR_SERVICE_NAME]: service,
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: instanceId,
  });
}

function resourceOf(attributes: Record<string, string>): Resource {
  return defaultResource().merge(resourceFromAttributes(attributes));
}
