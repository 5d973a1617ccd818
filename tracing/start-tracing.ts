import type { Tracing, TracingOptions } from './tracing-options.ts';

/**
 * Starts the process's tracing on `@opentelemetry/sdk-node`. What it resolves to
 * gives tracers at once, while the larger part of the SDK is still being read;
 * see {@link Tracing.ready}. Throws INVALID_SETTING for a bad address or ratio.
 *
 * The SDK is imported here and not at the top, so that a command that only reads
 * traces, or propagates them, does not pay for it (about 40 ms of CPU).
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { createTracing } = await import('./sdk/create-tracing.ts');
  return createTracing(options);
}
