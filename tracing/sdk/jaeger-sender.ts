import type { JaegerExporter } from '@opentelemetry/exporter-jaeger';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

import { type SpanSender, sendThrough } from './span-sender.ts';

type SpanResource = ReadableSpan['resource'];

/**
 * Thrift over HTTP through `@opentelemetry/exporter-jaeger`. One of its exporters stands for one service,
 * the first that it sees, so there is one for each resource (a process has a handful).
 */
export async function openJaegerSender(endpoint: string): Promise<SpanSender> {
  const { JaegerExporter } = await import('@opentelemetry/exporter-jaeger');
  const exporters = new Map<SpanResource, JaegerExporter>();

  function exporterOf(resource: SpanResource): JaegerExporter {
    let exporter = exporters.get(resource);
    if (exporter === undefined) {
      // Its shutdown waits by a timer that it never clears; there is nothing left to flush by then.
      exporter = new JaegerExporter({ endpoint, flushTimeout: 1, tags: processTags(resource) });
      exporters.set(resource, exporter);
    }
    return exporter;
  }

  return {
    async send(spans) {
      const groups = Map.groupBy(spans, ({ resource }) => resource);
      const sending = Array.from(groups, ([resource, group]) => sendThrough(adapt(exporterOf(resource)), group));
      await Promise.all(sending);
    },
    async close() {
      const closing = Array.from(exporters.values(), (exporter) => exporter.shutdown());
      exporters.clear();
      await Promise.allSettled(closing);
    },
  };
}

/** The exporter was frozen on the previous SDK's types; of a span it reads what both generations have. */
function adapt(exporter: JaegerExporter): Parameters<typeof sendThrough>[0] {
  return {
    export: (spans, done) => exporter.export(spans as unknown as Parameters<JaegerExporter['export']>[0], done),
  };
}

function processTags({ attributes }: SpanResource): { key: string; value: string }[] {
  const named = Object.entries(attributes).filter(([key]) => key !== 'service.name');
  return named.map(([key, value]) => ({ key, value: String(value) }));
}
