import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, loopback } from './free-port.ts';
import { requireBackend } from './locate.ts';
import { probe } from './probe.ts';
import { startServer } from './start-server.ts';

export type Jaeger = {
  /** `http://127.0.0.1:<port>`, as `OTEL_EXPORTER_OTLP_ENDPOINT` takes it; spans go to `/v1/traces` below it. */
  readonly otlpHttpEndpoint: string;
  /** The same over gRPC. */
  readonly otlpGrpcEndpoint: string;
  /** `http://127.0.0.1:<port>/api/traces`, as `OTEL_EXPORTER_JAEGER_ENDPOINT` takes it. */
  readonly thriftHttpEndpoint: string;
  /** The query API and the UI: `/api/services`, `/api/traces/<id>`. */
  readonly queryUrl: string;
  pid(): number;
  stop(): Promise<void>;
};

export type JaegerOptions = { readonly lifetimeMs?: number };

/** Jaeger v2 on free loopback ports, traces in memory. It returns when it takes spans and answers queries. */
export async function startJaeger(options: JaegerOptions = {}): Promise<Jaeger> {
  const started = await startServer({
    name: 'jaeger',
    command: await requireBackend('jaeger'),
    lifetimeMs: options.lifetimeMs,
    plan: async (folder) => {
      const [otlpGrpc = 0, otlpHttp = 0, thriftHttp = 0, queryHttp = 0, queryGrpc = 0] = await freePorts(5);
      const file = join(folder, 'jaeger.json');
      const configuration = describeJaeger({ otlpGrpc, otlpHttp, thriftHttp, queryHttp, queryGrpc });
      await writeFile(file, JSON.stringify(configuration));
      const address = {
        otlpHttpEndpoint: `http://${loopback}:${otlpHttp}`,
        otlpGrpcEndpoint: `http://${loopback}:${otlpGrpc}`,
        thriftHttpEndpoint: `http://${loopback}:${thriftHttp}/api/traces`,
        queryUrl: `http://${loopback}:${queryHttp}`,
      };
      return { address, args: ['--config', file], env: ownSpansOff, isReady: () => isReady(address) };
    },
  });
  return { ...started.address, pid: () => started.server().pid, stop: () => started.stop() };
}

// Jaeger traces its own queries and sends that to port 4317 of this machine, whoever listens there
// (v2 ignores `enable_tracing`); where nobody does, its end takes 10 s.
const ownSpansOff = { OTEL_TRACES_SAMPLER: 'always_off' };

type Ports = {
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
  readonly thriftHttp: number;
  readonly queryHttp: number;
  readonly queryGrpc: number;
};

/**
 * Jaeger 2 is an OpenTelemetry collector: receivers, a pipeline, extensions.
 * The configuration built into it asks for a sampling file that is not there
 * and for fixed ports, so nothing of it is used. JSON is YAML as well.
 */
function describeJaeger(ports: Ports): object {
  const at = (port: number): { endpoint: string } => ({ endpoint: `${loopback}:${port}` });
  return {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: {
        traces: { receivers: ['otlp', 'jaeger'], processors: ['batch'], exporters: ['jaeger_storage_exporter'] },
      },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 100_000 } } } },
      jaeger_query: {
        storage: { traces: 'memory' },
        http: at(ports.queryHttp),
        grpc: at(ports.queryGrpc),
      },
    },
    receivers: {
      otlp: { protocols: { grpc: at(ports.otlpGrpc), http: at(ports.otlpHttp) } },
      jaeger: { protocols: { thrift_http: at(ports.thriftHttp) } },
    },
    // A span can be read back after 20 ms instead of 200.
    processors: { batch: { timeout: '20ms' } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  };
}

type Address = { readonly otlpHttpEndpoint: string; readonly thriftHttpEndpoint: string; readonly queryUrl: string };

/** The query API is up before the receivers are; those answer a GET with 405. */
async function isReady(address: Address): Promise<boolean> {
  const [query, otlp, thrift] = await Promise.all([
    probe(`${address.queryUrl}/api/services`),
    probe(`${address.otlpHttpEndpoint}/v1/traces`),
    probe(address.thriftHttpEndpoint),
  ]);
  return query?.status === 200 && otlp !== undefined && thrift !== undefined;
}
