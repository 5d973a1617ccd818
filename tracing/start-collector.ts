import type { Collector, CollectorOptions } from './collector/index.ts';

export type { Collector, CollectorOptions };

/** Starts the span collector. Only the process that hosts it loads its code: the others meet it over HTTP. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const collector = await import('./collector/index.ts');
  return collector.startCollector(options);
}
