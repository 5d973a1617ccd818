export { startCollector } from './start-collector.ts';
export type { Collector, CollectorOptions } from './collector-options.ts';
