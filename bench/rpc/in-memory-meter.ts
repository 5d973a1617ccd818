import type { Meter } from '@opentelemetry/api';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';

const EVERY_MS = 1_000;

/** A meter whose instruments are collected each second, as by somebody who scrapes them, and whose numbers go no further. */
export function createInMemoryMeter(): Meter {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: EVERY_MS, exportTimeoutMillis: EVERY_MS });
  // It keeps all that it was ever given.
  setInterval(() => exporter.reset(), EVERY_MS).unref();
  return new MeterProvider({ readers: [reader] }).getMeter('shopmesh');
}
