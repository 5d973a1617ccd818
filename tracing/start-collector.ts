import type { Collector, CollectorOptions } from './collector-options.ts';

/**
 * Starts the stand-in for Jaeger on one machine: it takes OTLP over HTTP as JSON, keeps the latest traces in memory,
 * and answers the part of Jaeger's query API that reads them. Throws PORT_IN_USE for a taken port.
 *
 * Imported here and not at the top: a service never hosts it.
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { runCollector } = await import('./collector/run-collector.ts');
  return runCollector(options);
}
