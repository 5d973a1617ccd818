import { createRequire } from 'node:module';

import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';

import { connectGrpcJs, type GrpcJs, serveGrpcJs } from './grpc-js-calls.ts';
import type { Peer } from './peer.ts';

/**
 * grpc-js under OpenTelemetry's instrumentation, which puts functions of its own in the place of grpc-js's. It sees what is
 * loaded by `require`; under `import` without a loader hook it makes no spans and says nothing. So the module comes by `require`.
 */
export const autoInstrumentedPeer: Peer = {
  async serve({ otlpEndpoint }) {
    const { grpc, settle } = instrument(otlpEndpoint);
    return serveGrpcJs(grpc, settle);
  },
  async connect(port, { otlpEndpoint }) {
    const { grpc, settle } = instrument(otlpEndpoint);
    return connectGrpcJs(grpc, port, settle);
  },
};

function instrument(otlpEndpoint: string): { readonly grpc: GrpcJs; settle(): Promise<void> } {
  const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${otlpEndpoint}/v1/traces` }) });
  const sdk = new NodeSDK({
    serviceName: 'bench',
    autoDetectResources: false,
    instrumentations: [new GrpcInstrumentation()],
    spanProcessors: [processor],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  // It is that module, and `require` gives everything as any.
  const grpc = createRequire(import.meta.url)('@grpc/grpc-js') as GrpcJs;
  return { grpc, settle: () => processor.forceFlush() };
}
