import { createRequire } from 'node:module';

import type * as GrpcJs from '@grpc/grpc-js';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import type Pg from 'pg';
import type { Stripe as StripeClient } from 'stripe';

export type Grpc = typeof GrpcJs;
export type Postgres = typeof Pg;
export type StripeLibrary = typeof StripeClient;

/** What is instrumented: each library as it comes by `require` once auto-instrumentation is on. */
export interface Libraries {
  readonly grpc: Grpc;
  readonly pg: Postgres;
  readonly Stripe: StripeLibrary;
}

/**
 * Switches auto-instrumentation on and loads the libraries below it: it sees only what comes by `require` after it, `http` of
 * the stripe package among it. Of statements it leaves out, in favour of this stack, what ours makes no span of either: polling
 * (`requireParentSpan`) and taking a connection from the pool (`ignoreConnectSpans`).
 */
export function startTelemetry(serviceName: string, otlpEndpoint: string): Libraries {
  const exporter = new OTLPTraceExporter({ url: `${otlpEndpoint}/v1/traces` });
  new NodeSDK({
    serviceName,
    autoDetectResources: false,
    instrumentations: [new GrpcInstrumentation(), new HttpInstrumentation(), new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true })],
    spanProcessors: [new BatchSpanProcessor({ exporter })],
    metricReaders: [],
    logRecordProcessors: [],
  }).start();
  const require = createRequire(import.meta.url);
  // They are those modules, and `require` gives everything as any.
  return { grpc: require('@grpc/grpc-js') as Grpc, pg: require('pg') as Postgres, Stripe: require('stripe') as StripeLibrary };
}
