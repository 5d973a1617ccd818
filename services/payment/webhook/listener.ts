import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { SpanKind, type Tracer } from '@opentelemetry/api';

import { errorCode, type Log, MeshError, refusal, type Stoppable } from '#kit';
import { withSpan } from '#tracing';

import type { StripeNotice } from './event-store.ts';
import type { Verified } from './verify-notice.ts';

export interface WebhookListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  verify(body: Buffer, signature: string): Promise<Verified>;
  /** Notes an event for good: Stripe sends it again unless this resolves. */
  receive(notice: StripeNotice): Promise<void>;
  readonly log: Log;
  readonly tracer: Tracer;
  /** How long `stop()` waits for requests under way, before it cuts them: Stripe sends them again. Default 2,000. */
  readonly stopGraceMs?: number;
}

export interface WebhookListener extends Stoppable {
  /** Resolves with the address to tell Stripe, such as `http://127.0.0.1:4242/webhooks/stripe`. PORT_IN_USE. */
  start(): Promise<string>;
}

const WEBHOOK_PATH = '/webhooks/stripe';
/** Stripe's events have a few KB. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_CONNECTIONS = 64;
/** For a whole request. */
const REQUEST_TIMEOUT_MS = 10_000;
const STOP_GRACE_MS = 2_000;

/** Takes Stripe's webhooks: checks, notes and answers each, and leaves the rest to others. Says nothing of why it refuses, and keeps no body. */
export function createWebhookListener(options: WebhookListenerOptions): WebhookListener {
  const { host, port, verify, receive, log, tracer, stopGraceMs = STOP_GRACE_MS } = options;

  async function answerTo(request: IncomingMessage): Promise<number> {
    if (request.url?.split('?')[0] !== WEBHOOK_PATH) return 404;
    if (request.method !== 'POST') return 405;
    const signature = request.headers['stripe-signature'];
    if (typeof signature !== 'string' || signature.length > 4_096) return 400;
    const body = await readBody(request);
    if (body === undefined) return 413;
    const verified = await verify(body, signature);
    if (verified.kind === 'refused') return 400;
    if (verified.kind === 'notice') await receive(verified.notice);
    return 200;
  }

  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS / 2, connectionsCheckingInterval: 1_000 });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const attributes = { 'http.request.method': request.method ?? '', 'url.path': WEBHOOK_PATH };
    const status = await withSpan(tracer, `POST ${WEBHOOK_PATH}`, { kind: SpanKind.SERVER, attributes }, async (span) => {
      const code = await answerTo(request);
      span.setAttribute('http.response.status_code', code);
      return code;
    }).catch((thrown: unknown) => statusOf(thrown, request, log));
    // What has not been read of a body that is too long is not read at all; and who stops wants no further requests.
    if (!request.complete || !server.listening) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-length': 0 }).end();
  }

  return {
    async start() {
      await listen(server, host, port);
      // A server that listens on a port has such an address.
      const address = server.address();
      const bound = typeof address === 'object' ? address?.port : undefined;
      return `http://${host.includes(':') ? `[${host}]` : host}:${bound}${WEBHOOK_PATH}`;
    },
    stop: () => stop(server, stopGraceMs),
  };
}

/** Undefined when it is longer than any event of Stripe's. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A request without an encoding set gives Buffers.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function statusOf(thrown: unknown, request: IncomingMessage, log: Log): number {
  // The sender has left.
  if (request.destroyed && !request.complete) return 400;
  const error = MeshError.from(thrown);
  if (error.code !== 'UNAVAILABLE') log.error({ err: error }, 'an event of Stripe could not be noted');
  return error.code === 'UNAVAILABLE' ? 503 : 500;
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (thrown) {
    if (errorCode(thrown) !== 'EADDRINUSE') throw thrown;
    const sentence = `port ${port} of ${host} is taken; stop what listens there, or set MESH_PAYMENT_WEBHOOK_PORT to another one (0 takes a free one)`;
    throw refusal('PORT_IN_USE', sentence, { cause: thrown });
  }
}

async function stop(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}
