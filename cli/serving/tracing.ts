import type { Log } from '#kit';
import { startTracing, type Tracing } from '#tracing';

import type { Resolved } from '../settings.ts';

/** Starts this process's tracing as the settings say. */
export function startProcessTracing({ values }: Resolved, log: Log): Promise<Tracing> {
  return startTracing({
    // OpenTelemetry's own switch: nothing is recorded, and the context of callers is still passed on.
    exporter: process.env['OTEL_SDK_DISABLED'] === 'true' ? 'none' : values.OTEL_TRACES_EXPORTER,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    jaegerEndpoint: values.OTEL_EXPORTER_JAEGER_ENDPOINT,
    sampleRatio: values.MESH_TRACE_PERCENT / 100,
    log,
  });
}
