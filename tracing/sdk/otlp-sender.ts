import { Agent } from 'node:http';

import { type SpanSender, sendThrough } from './span-sender.ts';

export interface OtlpSenderOptions {
  /** Full address, `/v1/traces` included. */
  readonly url: string;
  /** How long one batch is tried, retries included. */
  readonly timeoutMs: number;
}

/** The library first tries again after 800 ms or more, and not at all when that is beyond its timeout. */
const ONE_ATTEMPT_MS = 700;

/** OTLP over HTTP as JSON. Headers, compression and certificates come from the standard `OTEL_EXPORTER_OTLP_*` variables. */
export async function openOtlpSender({ url, timeoutMs }: OtlpSenderOptions): Promise<SpanSender> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const agent = new Agent({ keepAlive: true });
  let isClosed = false;
  const options = {
    url,
    // The library cannot be told to stop retrying, but it asks for the headers before each attempt.
    headers: async () => {
      if (isClosed) throw new Error('tracing stops');
      return {};
    },
    // Its shutdown leaves connections open, so they are ours to close. With TLS its own agent
    // stays, which knows the certificates; idle sockets of that do not keep a process alive.
    ...(url.startsWith('http:') && { httpAgentOptions: () => agent }),
  };
  const exporters = {
    retry: new OTLPTraceExporter({ ...options, timeoutMillis: timeoutMs }),
    once: new OTLPTraceExporter({ ...options, timeoutMillis: Math.min(timeoutMs, ONE_ATTEMPT_MS) }),
  };

  return {
    send: (spans, patience) => sendThrough(exporters[patience], spans),
    async close() {
      isClosed = true;
      // With an error of our own: one that the library takes for a network's would be tried again.
      for (const socket of Object.values(agent.sockets).flat()) socket?.destroy(new Error('tracing stops'));
      agent.destroy();
      await Promise.all([exporters.retry.shutdown(), exporters.once.shutdown()]);
    },
  };
}
