import { createRequire } from 'node:module';

import type * as GrpcJs from '@grpc/grpc-js';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';

export type Grpc = typeof GrpcJs;

/** Switches auto-instrumentation on and loads grpc-js below it: it sees only what comes by `require` after it. */
export function startTelemetry(serviceName: string, otlpEndpoint: string): Grpc {
  const exporter = new OTLPTraceExporter({ url: `${otlpEndpoint}/v1/traces` });
  new NodeSDK({
    serviceName,
    autoDetectResources: false,
    instrumentations: [new GrpcInstrumentation()],
    spanProcessors: [new BatchSpanProcessor({ exporter })],
    metricReaders: [],
    logRecordProcessors: [],
  }).start();
  // It is that module, and `require` gives everything as any.
  return createRequire(import.meta.url)('@grpc/grpc-js') as Grpc;
}
