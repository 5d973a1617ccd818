import { type Context, Hono } from 'hono';

import { MeshError } from '#kit';

import type { JaegerAnswer } from '../jaeger-api.ts';
import { kindOf, serviceOf, toJaegerTrace } from './jaeger-trace.ts';
import type { OtlpSpan } from './otlp-json.ts';
import type { NodeRoutes } from './otlp-routes.ts';
import { searchTraces, unknownParameter } from './search-traces.ts';
import type { SpanStore } from './span-store.ts';

const NOT_HERE = 'the local span collector does not answer this; run a real Jaeger for it';

/** The part of Jaeger's query API that lists services and reads traces; 501 for the rest. */
export function queryRoutes(store: SpanStore): NodeRoutes {
  const routes: NodeRoutes = new Hono();

  routes.get('/api/services', (c) => answer(c, unique(allSpans(store).map(serviceOf))));
  routes.get('/api/services/:service/operations', (c) => {
    const spans = spansOf(store, c.req.param('service'));
    return answer(c, unique(spans.map(({ name }) => name)));
  });
  routes.get('/api/operations', (c) => {
    const service = c.req.query('service');
    if (service === undefined) return refuse(c, 400, "parameter 'service' is required");
    const operations = spansOf(store, service).map((span) =>
      JSON.stringify({ name: span.name, spanKind: kindOf(span) }),
    );
    return answer(
      c,
      unique(operations).map((operation): unknown => JSON.parse(operation)),
    );
  });
  routes.get('/api/traces/:id', (c) => {
    const traceId = c.req.param('id').toLowerCase();
    if (!/^[0-9a-f]{1,32}$/.test(traceId)) return refuse(c, 400, 'a trace id is up to 32 hexadecimal digits');
    const trace = store.get(traceId.padStart(32, '0'));
    return trace === undefined ? refuse(c, 404, 'trace not found') : answer(c, [toJaegerTrace(trace)], 0);
  });
  routes.get('/api/traces', (c) => answerSearch(c, store));
  routes.notFound((c) => refuse(c, 501, NOT_HERE));
  return routes;
}

function answerSearch(c: Context, store: SpanStore): Response {
  const query = c.req.query();
  const other = unknownParameter(query);
  if (other !== undefined)
    return refuse(c, 501, `the local span collector does not search by ${other}; run a real Jaeger for it`);
  try {
    return answer(c, searchTraces(store, query).map(toJaegerTrace), 0);
  } catch (thrown) {
    if (!(thrown instanceof MeshError)) throw thrown;
    return refuse(c, 400, thrown.message);
  }
}

function spansOf(store: SpanStore, service: string): OtlpSpan[] {
  return allSpans(store).filter((span) => serviceOf(span) === service);
}

function allSpans(store: SpanStore): OtlpSpan[] {
  return store.traces().flatMap(({ spans }) => [...spans.values()]);
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function answer(c: Context, data: readonly unknown[], total: number = data.length): Response {
  return c.json({ data, total, limit: 0, offset: 0, errors: null } satisfies JaegerAnswer<readonly unknown[]>);
}

function refuse(c: Context, code: 400 | 404 | 501, msg: string): Response {
  return c.json(
    { data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg }] } satisfies JaegerAnswer<never>,
    code,
  );
}
