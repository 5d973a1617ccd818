import { setImmediate } from 'node:timers/promises';

import { context, diag, DiagLogLevel, logs, propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { Sampler, SpanLimits, SpanProcessor } from '@opentelemetry/sdk-trace';

import type { Log } from '#kit';

/** What every tracer of the process shares. */
export interface SpanPipeline {
  readonly sampler: Sampler;
  readonly spanLimits: SpanLimits;
  readonly spanProcessors: SpanProcessor[];
}

/** The process's set-up, in force until it is undone. */
export interface NodeSetup {
  undo(): Promise<void>;
}

/**
 * Hands the process to NodeSDK: context by AsyncLocalStorage, propagation by W3C Trace Context, and a provider for
 * tracers that anybody else takes from the API. Nothing is instrumented, and neither metrics nor logs are exported.
 *
 * The package imports every exporter there is (about 75 ms of CPU and 9 MB beyond what tracing needs), so it is
 * imported here, while the process waits for others.
 */
export async function setUpNode(pipeline: SpanPipeline, resource: Resource, log: Log): Promise<NodeSetup> {
  // Reading it is one long task: what the caller starts next, such as its connections, goes out before.
  await setImmediate();
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    ...pipeline,
    resource,
    autoDetectResources: false,
    textMapPropagator: new W3CTraceContextPropagator(),
    instrumentations: [],
    // Empty lists and not left out: what is left out is read from the environment, and exported by default.
    metricReaders: [],
    logRecordProcessors: [],
  });
  // After the constructor, which puts a console logger in place when OTEL_LOG_LEVEL is set.
  routeDiagnostics(log);
  sdk.start();
  return {
    async undo() {
      await sdk.shutdown();
      for (const api of [trace, propagation, context, logs, diag]) api.disable();
    },
  };
}

/** The SDK's own complaints. Those that matter to an operator are said by the guard, once; the rest is for who debugs it. */
function routeDiagnostics(log: Log): void {
  const write = (message: string, ...args: unknown[]): void => log.debug({ source: 'opentelemetry', args }, message);
  const logger = { error: write, warn: write, info: write, debug: write, verbose: write };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
