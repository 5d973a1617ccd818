import type { Attributes, Meter } from '@opentelemetry/api';
import { DataPointType, type Histogram, type MetricData, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

/** One series of an instrument: its attributes, and its value; that of a histogram is how many it noted. */
export type Series = readonly [attributes: Attributes, value: number];

/** A meter whose instruments are read when a test asks. */
export interface ReadableMeter {
  readonly meter: Meter;
  /** The instruments that have something to say now, by name. */
  collect(): Promise<ReadonlyMap<string, MetricData>>;
  /** Empty where the instrument says nothing. */
  series(name: string): Promise<readonly Series[]>;
  /** Of a histogram with one series. */
  histogram(name: string): Promise<Histogram>;
  stop(): Promise<void>;
}

class ManualReader extends MetricReader {
  protected async onShutdown(): Promise<void> {}
  protected async onForceFlush(): Promise<void> {}
}

export function createReadableMeter(): ReadableMeter {
  const reader = new ManualReader();
  const provider = new MeterProvider({ readers: [reader] });

  async function collect(): Promise<ReadonlyMap<string, MetricData>> {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return new Map(metrics.filter(({ dataPoints }) => dataPoints.length > 0).map((metric) => [metric.descriptor.name, metric]));
  }

  return {
    meter: provider.getMeter('shopmesh'),
    collect,
    async series(name) {
      const metric = (await collect()).get(name);
      return metric ? seriesOf(metric) : [];
    },
    async histogram(name) {
      const metric = (await collect()).get(name);
      if (metric?.dataPointType !== DataPointType.HISTOGRAM) throw new Error(`${name} is no histogram`);
      const [point, ...others] = metric.dataPoints;
      if (!point || others.length > 0) throw new Error(`${name} has ${metric.dataPoints.length} series`);
      return point.value;
    },
    stop: () => provider.shutdown(),
  };
}

function seriesOf(metric: MetricData): readonly Series[] {
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM:
      return metric.dataPoints.map(({ attributes, value }): Series => [attributes, value.count]);
    case DataPointType.SUM:
    case DataPointType.GAUGE:
      return metric.dataPoints.map(({ attributes, value }): Series => [attributes, value]);
    default:
      throw new Error(`${metric.descriptor.name} is no histogram, sum or gauge`);
  }
}
