import type { Log } from '#kit';
import { startTracing, type Tracing } from '#tracing';

import type { Resolved } from '../settings.ts';

/** Starts this process's tracing as the settings say. Await `ready` before the first call: until then spans do not nest. */
export function startProcessTracing({ values }: Resolved, log: Log): Promise<Tracing> {
  return startTracing({
    // The SDK would switch itself off halfway: contexts, but not exporters.
    exporter: process.env['OTEL_SDK_DISABLED'] === 'true' ? 'none' : values.OTEL_TRACES_EXPORTER,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    jaegerEndpoint: values.OTEL_EXPORTER_JAEGER_ENDPOINT,
    sampleRatio: values.MESH_TRACE_PERCENT / 100,
    log,
  });
}
