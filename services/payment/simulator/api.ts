import { type Context, Hono, type MiddlewareHandler } from 'hono';

import type { Log } from '#kit';

import { type Answer, ApiRefusal, errorAnswer, invalid, notCovered } from './answer.ts';
import { type Form, parseForm } from './form.ts';
import { createIdempotency, fingerprintOf, type KeyedRequest, MAX_KEY_LENGTH } from './idempotency.ts';
import { createPaymentIntent, getPaymentIntent, getPaymentIntents } from './payment-intents.ts';
import { createRefund, getRefund, getRefunds } from './refunds.ts';
import { searchPaymentIntents } from './search.ts';
import { newSuffix, type Simulator } from './simulator.ts';

const MAX_BODY_BYTES = 64 * 1024;

type Api = { Variables: { requestId: string } };
type Post = (simulator: Simulator, form: Form, keyed: KeyedRequest | undefined) => Promise<Answer>;

/** The part of Stripe's HTTP API that the shop uses; 501 with a sentence for the rest. */
export function createApi(simulator: Simulator, log: Log): Hono<Api> {
  const idempotency = createIdempotency(simulator.db);
  const api = new Hono<Api>();

  /** Carries a POST out once for each idempotency key. */
  const once = (post: Post) => async (c: Context<Api>): Promise<Response> => {
    const form = await readBody(c);
    const keyed = readKey(c, form);
    const replay = await idempotency.once(keyed, () => post(simulator, form, keyed));
    if (keyed) c.header('Idempotency-Key', keyed.key);
    if (replay.kind === 'replayed') {
      c.header('Idempotent-Replayed', 'true');
      c.header('Original-Request', replay.originalRequestId);
    }
    return send(c, replay.answer);
  };

  api.use(nameRequest(simulator), limitBody, authenticate);
  api.post('/v1/payment_intents', once(createPaymentIntent));
  api.get('/v1/payment_intents', async (c) => send(c, await getPaymentIntents(simulator, readQuery(c))));
  api.get('/v1/payment_intents/search', async (c) => send(c, await searchPaymentIntents(simulator, readQuery(c))));
  api.get('/v1/payment_intents/:id', async (c) => send(c, await getPaymentIntent(simulator, c.req.param('id'), readQuery(c))));
  api.post('/v1/refunds', once(createRefund));
  api.get('/v1/refunds', async (c) => send(c, await getRefunds(simulator, readQuery(c))));
  api.get('/v1/refunds/:id', async (c) => send(c, await getRefund(simulator, c.req.param('id'), readQuery(c))));
  api.notFound((c) => send(c, notCovered(`${c.req.method} ${c.req.path}`).answer));
  api.onError((thrown, c) => {
    if (thrown instanceof ApiRefusal) return send(c, thrown.answer);
    log.error({ err: thrown, requestId: c.get('requestId') }, 'the card-payment simulator could not carry out a request');
    return send(c, errorAnswer(500, { type: 'api_error', message: 'The card-payment simulator failed; its log says why. Send the request again.' }));
  });
  return api;
}

function nameRequest(simulator: Simulator): MiddlewareHandler<Api> {
  return async (c, next) => {
    c.set('requestId', `req_${newSuffix(simulator)}`);
    c.header('Request-Id', c.get('requestId'));
    await next();
  };
}

/** Any test key will do; a live one has no business here (https://docs.stripe.com/keys). */
const authenticate: MiddlewareHandler<Api> = async (c, next) => {
  if (/^Bearer [sr]k_test_\w+$/.test(c.req.header('authorization') ?? '')) return next();
  const message = 'The card-payment simulator takes test keys only: send `Authorization: Bearer sk_test_…`.';
  return send(c, errorAnswer(401, { type: 'invalid_request_error', message }));
};

/** By what the request says of itself, which Node holds it to; Hono's own limit needs the adapter's Request. */
const limitBody: MiddlewareHandler<Api> = async (c, next) => {
  const isOpenEnded = c.req.header('transfer-encoding') !== undefined;
  if (!isOpenEnded && Number(c.req.header('content-length') ?? 0) <= MAX_BODY_BYTES) return next();
  const message = `A body has at most ${MAX_BODY_BYTES} bytes and says how many in Content-Length.`;
  return send(c, errorAnswer(413, { type: 'invalid_request_error', message }));
};

async function readBody(c: Context): Promise<Form> {
  const type = c.req.header('content-type') ?? '';
  const body = await c.req.text();
  if (body !== '' && !/^application\/x-www-form-urlencoded(;|$)/i.test(type)) {
    throw invalid('Send parameters as application/x-www-form-urlencoded.');
  }
  return parseForm(body);
}

function readQuery(c: Context): Form {
  return parseForm(new URL(c.req.url).search);
}

function readKey(c: Context<Api>, form: Form): KeyedRequest | undefined {
  const key = c.req.header('idempotency-key');
  if (!key) return undefined;
  if (key.length > MAX_KEY_LENGTH) throw invalid(`An idempotency key has at most ${MAX_KEY_LENGTH} characters.`);
  return { key, requestId: c.get('requestId'), fingerprint: fingerprintOf(c.req.method, c.req.path, form) };
}

function send(c: Context, { status, body }: Answer): Response {
  c.header('Content-Type', 'application/json');
  // Hono's type lists the codes it knows; ours are among them.
  return c.body(body, status as 200);
}
