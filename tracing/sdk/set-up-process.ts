import { context, diag, DiagLogLevel, propagation, trace, type TracerProvider } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

import type { Log } from '#kit';

/**
 * Sets up the process: context by AsyncLocalStorage, propagation by W3C Trace Context, and the provider for tracers that
 * anybody else takes from the API. Nothing is instrumented. Gives what undoes it.
 *
 * NodeSDK of `@opentelemetry/sdk-node` does the same, and imports every exporter, metrics, logs and YAML for it: 380
 * modules and 100 ms of CPU in each service's process, of which nothing would be used.
 */
export function setUpProcess(provider: TracerProvider, log: Log): () => void {
  routeDiagnostics(log);
  const contexts = new AsyncLocalStorageContextManager();
  context.setGlobalContextManager(contexts.enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return () => {
    for (const api of [trace, propagation, context, diag]) api.disable();
  };
}

/** The SDK's own complaints. Those that matter to an operator are said by the guard, once; the rest is for who debugs it. */
function routeDiagnostics(log: Log): void {
  const write = (message: string, ...args: unknown[]): void => log.debug({ source: 'opentelemetry', args }, message);
  const logger = { error: write, warn: write, info: write, debug: write, verbose: write };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
