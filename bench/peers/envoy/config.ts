/** One sidecar: which side of the call it stands on, and whom it hands calls to. */
export interface SidecarOptions {
  readonly side: 'client' | 'server';
  readonly upstreamPort: number;
  /** Takes spans as OTLP over HTTP, at `/<sender>-<side>/v1/traces`. */
  readonly sinkPort: number;
  readonly sender: string;
}

/** Bootstrap of an Envoy sidecar that does what our runtime does at the same place, as far as Envoy has it. JSON is YAML, too. */
export function sidecarConfig(options: SidecarOptions): unknown {
  const { side, upstreamPort, sinkPort } = options;
  return {
    // Port 0: Envoy takes free ones, and tells the admin port in a file.
    admin: { address: loopback(0) },
    // By default it sends spans five at a time, which costs it far more than our batches of 512 cost us.
    layered_runtime: {
      layers: [{ name: 'bench', static_layer: { 'tracing.opentelemetry.min_flush_spans': 512, 'tracing.opentelemetry.flush_interval_ms': 500 } }],
    },
    static_resources: {
      listeners: [listener(options)],
      clusters: [
        {
          ...cluster('upstream', upstreamPort, { explicit_http_config: { http2_protocol_options: {} } }),
          ...(side === 'client' ? clientSide : undefined),
        },
        cluster('sink', sinkPort, { explicit_http_config: { http_protocol_options: {} } }),
      ],
    },
  };
}

/** At the caller: least request, outlier detection, circuit breaking with a retry budget, by the same numbers as ours. */
const clientSide = {
  lb_policy: 'LEAST_REQUEST',
  outlier_detection: { consecutive_5xx: 5, interval: '1s', base_ejection_time: '2s', max_ejection_percent: 50 },
  circuit_breakers: {
    thresholds: [{ max_requests: 10_000, max_pending_requests: 10_000, retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 3 } }],
  },
};

function listener({ side, sender }: SidecarOptions): unknown {
  const manager = {
    '@type': typeUrl('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: side,
    codec_type: 'HTTP2',
    tracing: { random_sampling: { value: 100 }, provider: tracer(side, sender) },
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route(side)] }] },
    http_filters: [...(side === 'server' ? [adaptiveConcurrency] : []), filter('router', 'router.v3.Router')],
  };
  return {
    name: side,
    address: loopback(0),
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  };
}

/** The caller's deadline holds at both; only the caller's side tries again, as the method is idempotent. */
function route(side: SidecarOptions['side']): unknown {
  const retries = { retry_on: 'unavailable', num_retries: 2, retry_back_off: { base_interval: '0.025s', max_interval: '1s' } };
  return {
    match: { prefix: '/' },
    route: {
      cluster: 'upstream',
      timeout: '0s',
      max_stream_duration: { grpc_timeout_header_max: '0s' },
      ...(side === 'client' && { retry_policy: retries }),
    },
  };
}

function tracer(side: SidecarOptions['side'], sender: string): unknown {
  const uri = `http://sink/${sender}-${side}/v1/traces`;
  return {
    name: 'envoy.tracers.opentelemetry',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
      service_name: side,
      http_service: { http_uri: { uri, cluster: 'sink', timeout: '1s' } },
    },
  };
}

/**
 * The gradient controller, from the limit that ours begins with. Its round trip without load is given and not measured: to
 * measure it, Envoy lets a few calls through at a time and answers the others with 503, which would be failures here.
 */
const adaptiveConcurrency = filter('adaptive_concurrency', 'adaptive_concurrency.v3.AdaptiveConcurrency', {
  gradient_controller_config: {
    concurrency_limit_params: { concurrency_update_interval: '0.1s', max_concurrency_limit: 2_000 },
    min_rtt_calc_params: { fixed_value: '0.1s', min_concurrency: 64 },
  },
});

function filter(name: string, type: string, settings: object = {}): unknown {
  return { name: `envoy.filters.http.${name}`, typed_config: { '@type': typeUrl(`filters.http.${type}`), ...settings } };
}

function cluster(name: string, port: number, protocol: object): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: loopback(port) } }] }] },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': { '@type': typeUrl('upstreams.http.v3.HttpProtocolOptions'), ...protocol },
    },
  };
}

function loopback(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function typeUrl(name: string): string {
  return `type.googleapis.com/envoy.extensions.${name}`;
}
