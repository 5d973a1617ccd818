import type { Tracing, TracingOptions } from './tracing-options.ts';

/**
 * Starts the process's tracing: once it resolves spans nest, travel and are sent. Throws INVALID_SETTING for a bad
 * address or ratio.
 *
 * The SDK is imported here and not at the top, so that a command that only reads
 * traces, or propagates them, does not pay for it (about 20 ms of CPU).
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { createTracing } = await import('./sdk/create-tracing.ts');
  return createTracing(options);
}
