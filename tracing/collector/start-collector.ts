import type { Log } from '#kit';

import type { Collector, CollectorOptions } from './collector-options.ts';
import { type Listener, listen } from './listen.ts';
import { type NodeRoutes, otlpRoutes } from './otlp-routes.ts';
import { queryRoutes } from './query-routes.ts';
import { createSpanStore } from './span-store.ts';

/**
 * Starts the stand-in for Jaeger on one machine: it takes OTLP over HTTP as JSON, keeps the latest traces in memory,
 * and answers the part of Jaeger's query API that reads them. Throws PORT_IN_USE for a taken port.
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const {
    host,
    otlpPort,
    queryPort,
    log,
    maxSpans = 20_000,
    maxBytes = 32 * 2 ** 20,
    maxBodyBytes = 8 * 2 ** 20,
  } = options;
  // One trace must fit, or it would evict itself.
  const maxSpansPerTrace = Math.min(options.maxSpansPerTrace ?? 5_000, maxSpans);
  const store = createSpanStore({ maxSpans, maxSpansPerTrace, maxBytes });

  const serve = (routes: NodeRoutes, port: number): Promise<Listener> =>
    listen(answeringErrors(routes, log), host, port);
  const receiver = await serve(otlpRoutes(store, maxBodyBytes), otlpPort);
  const query = await serve(queryRoutes(store), queryPort).catch(async (thrown: unknown) => {
    await receiver.stop();
    throw thrown;
  });
  const addresses = { otlpUrl: receiver.url, queryUrl: query.url };
  log.info({ ...addresses, maxSpans }, 'a stand-in for Jaeger collects spans in memory, for this machine only');

  let stopping: Promise<void> | undefined;
  return {
    ...addresses,
    stop: () => (stopping ??= Promise.all([receiver.stop(), query.stop()]).then(() => undefined)),
  };
}

/** What no route foresaw: the caller gets a sentence, the log the cause. */
function answeringErrors(routes: NodeRoutes, log: Log): NodeRoutes {
  return routes.onError((err, c) => {
    log.error({ err, path: c.req.path }, 'the span collector failed to answer');
    return c.json(
      { code: 13, message: 'something went wrong inside; the log of the span collector has the cause' },
      500,
    );
  });
}
