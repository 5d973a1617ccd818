import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';

import { MeshError } from '#kit';

import { readExport } from './otlp-json.ts';
import { readBody } from './read-body.ts';
import type { SpanStore } from './span-store.ts';

/** Routes that read the request as Node has it, for the limit on its body. */
export type NodeRoutes = Hono<{ Bindings: HttpBindings }>;

/** `POST /v1/traces` of OTLP over HTTP, as JSON. Source: OTLP specification, "OTLP/HTTP Response". */
export function otlpRoutes(store: SpanStore, maxBodyBytes: number): NodeRoutes {
  const routes: NodeRoutes = new Hono();

  routes.post('/v1/traces', async (c) => {
    const encoding = (c.req.header('content-encoding') ?? 'identity').toLowerCase();
    const unsupported = whyUnsupported(c.req.header('content-type') ?? '', encoding);
    if (unsupported !== undefined) return refuse(c, 415, unsupported);
    try {
      const body = await readBody(c.env.incoming, encoding === 'gzip', maxBodyBytes);
      store.add(readExport(JSON.parse(body.toString('utf8'))), body.length);
      return c.json({ partialSuccess: {} });
    } catch (thrown) {
      if (thrown instanceof SyntaxError) return refuse(c, 400, 'the body is not JSON');
      if (!(thrown instanceof MeshError)) throw thrown;
      return refuse(c, thrown.reason === 'MESSAGE_TOO_LARGE' ? 413 : 400, thrown.message);
    }
  });
  routes.all('/v1/traces', (c) => refuse(c, 405, 'spans are sent with POST'));
  routes.all('/v1/*', (c) =>
    refuse(c, 501, 'the local span collector takes traces only; for metrics and logs run an OpenTelemetry collector'),
  );
  routes.notFound((c) => refuse(c, 404, 'nothing is here; spans go to /v1/traces'));
  return routes;
}

function whyUnsupported(contentType: string, encoding: string): string | undefined {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-protobuf') {
    return 'the local span collector takes OTLP as JSON only; set OTEL_EXPORTER_OTLP_PROTOCOL=http/json, or send to a real Jaeger';
  }
  if (type !== 'application/json') return `the content type "${contentType}" is not OTLP; send application/json`;
  if (encoding !== 'identity' && encoding !== 'gzip')
    return `the content encoding "${encoding}" is not supported; send gzip or none`;
  return undefined;
}

/** An error as OTLP has it: a `google.rpc.Status`. */
function refuse(c: Context, status: 400 | 404 | 405 | 413 | 415 | 501, message: string): Response {
  return c.json({ code: status === 501 ? 12 : 3, message }, status);
}
