import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Stripe } from 'stripe';

import type { Stoppable } from '#kit';
import { withSpan } from '#tracing';

/**
 * How the `stripe` package reaches the network. The package has no way to pass a signal
 * to a call, and its own clients cannot be told to let go of a request; this one can.
 */
export interface StripeHttpClient extends Stripe.HttpClient, Stoppable {
  /**
   * Runs `call` and gives up when `signal` aborts: then it rejects with the signal's
   * reason, the request under way is cut, and no further attempt is sent.
   */
  within<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T>;
}

/** Each attempt is a CLIENT span. Connections are kept between calls until `stop()`. */
export function createStripeHttpClient(tracer: Tracer): StripeHttpClient {
  const signals = new AsyncLocalStorage<AbortSignal>();
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };

  return {
    getClientName: () => 'node',
    async makeRequest(host, port, path, method, headers, body, protocol, timeoutMs) {
      const signal = signals.getStore();
      // An error would make the package try again, for a caller that has left: see within().
      if (signal?.aborted) return never();
      const target = { host, port, path, method };
      const options = { ...target, headers, ...(signal && { signal }) };
      try {
        return await inSpan(tracer, target, () => {
          const request =
            protocol === 'http'
              ? httpRequest({ ...options, agent: agents.http })
              : httpsRequest({ ...options, agent: agents.https });
          return exchange(request, body, timeoutMs);
        });
      } catch (thrown) {
        if (signal?.aborted) return never();
        throw thrown;
      }
    },
    within: (signal, call) => untilAborted(signal, () => signals.run(signal, call)),
    async stop() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function never(): Promise<never> {
  return new Promise(() => {});
}

async function untilAborted<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Sends the body and reads the whole answer, all within `timeoutMs`. */
async function exchange(request: ClientRequest, body: string, timeoutMs: number): Promise<Stripe.HttpClientResponse> {
  // The package knows a timeout by this code.
  const tooLate = Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
  const timer = setTimeout(() => request.destroy(tooLate), timeoutMs);
  // once() listens until the headers are there; what breaks later fails the reading of the body as well.
  request.on('error', () => {});
  try {
    request.end(body);
    // The type of once() cannot know what the event carries.
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return toAnswer(response, await text(response));
  } finally {
    clearTimeout(timer);
  }
}

function toAnswer(response: IncomingMessage, body: string): Stripe.HttpClientResponse {
  return {
    getStatusCode: () => response.statusCode ?? 0,
    // Node's type allows for headers that are not there; those that are have a value.
    getHeaders: () => response.headers as Record<string, string | string[]>,
    getRawResponse: () => response,
    toJSON: async () => JSON.parse(body),
    toStream: () => {
      throw new Error('answers are read as a whole here; nothing asks for a stream');
    },
  };
}

interface Target {
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly method: string;
}

/** Names and attributes by the semantic conventions for HTTP clients; ids stay out of the name. */
function inSpan(
  tracer: Tracer,
  { host, port, path, method }: Target,
  send: () => Promise<Stripe.HttpClientResponse>,
): Promise<Stripe.HttpClientResponse> {
  const template = path.replace(/\?.*/, '').replace(/\/(pi|re)_\w+/, '/{id}');
  const attributes = {
    'http.request.method': method,
    'url.template': template,
    'server.address': host,
    'server.port': Number(port),
  };
  return withSpan(tracer, `${method} ${template}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    const answer = await send();
    noteStatus(span, answer.getStatusCode());
    return answer;
  });
}

function noteStatus(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status);
  if (status < 400) return;
  span.setAttribute('error.type', String(status));
  span.setStatus({ code: SpanStatusCode.ERROR });
}
