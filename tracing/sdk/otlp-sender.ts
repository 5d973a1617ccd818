import { Agent } from 'node:http';

import { type SpanSender, sendThrough } from './span-sender.ts';

export interface OtlpSenderOptions {
  /** Full address, `/v1/traces` included. */
  readonly url: string;
  /** How long one batch is tried, retries included. */
  readonly timeoutMs: number;
}

/** OTLP over HTTP as JSON. Headers, compression and certificates come from the standard `OTEL_EXPORTER_OTLP_*` variables. */
export async function openOtlpSender({ url, timeoutMs }: OtlpSenderOptions): Promise<SpanSender> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const agent = new Agent({ keepAlive: true });
  let isClosed = false;
  const exporter = new OTLPTraceExporter({
    url,
    timeoutMillis: timeoutMs,
    // The library cannot be told to stop retrying; it asks for the headers before each attempt.
    headers: async () => {
      if (isClosed) throw new Error('tracing stops');
      return {};
    },
    // Its shutdown leaves connections open, so they are ours to close. With TLS its own agent
    // stays, which knows the certificates; idle sockets of that do not keep a process alive.
    ...(url.startsWith('http:') ? { httpAgentOptions: () => agent } : {}),
  });

  return {
    send: (spans) => sendThrough(exporter, spans),
    async close() {
      isClosed = true;
      agent.destroy();
      await exporter.shutdown();
    },
  };
}
