import type { Tracer } from '@opentelemetry/api';
import type { Stripe } from 'stripe';

import { type Log, refusal, type Stoppable } from '#kit';

import type { CardGateway } from './card-gateway.ts';
import { requireStripeKey } from './settings.ts';
import { chargeCard, findChargesOf, lookUpCharge, useUpKey } from './stripe-charge.ts';
import { stripeRefusal, type StripeRequest, unknownOutcome } from './stripe-errors.ts';
import { createStripeHttpClient } from './stripe-http-client.ts';
import { refundCard } from './stripe-refund.ts';

export interface StripeGatewayOptions {
  /** STRIPE_API_KEY: `sk_…` or a restricted `rk_…`. */
  readonly apiKey: string;
  /** Where the simulator or stripe-mock listens; undefined for Stripe itself. */
  readonly apiBase: URL | undefined;
  /** For one attempt. The caller's signal bounds all of them together. Default 8,000. */
  readonly timeoutMs?: number;
  /** Further attempts after a lost connection, 409 or 5xx; they wait about 0.5 and 1 s. Default 2. */
  readonly maxRetries?: number;
  /** Default: from the `stripe` package. */
  readonly importStripe?: () => Promise<{ readonly Stripe: typeof Stripe }>;
  readonly log: Log;
  readonly tracer: Tracer;
}

export interface StripeGateway extends CardGateway, Stoppable {
  /**
   * Loads the `stripe` package (about 90 ms of CPU and 36 MB), which otherwise happens
   * with the first call. Never rejects: that call says what is wrong.
   */
  load(): Promise<void>;
}

const TIMEOUT_MS = 8_000;
const MAX_RETRIES = 2;

/**
 * The card gateway on Stripe's API. Resends are safe for at least 24 hours, which is
 * how long Stripe keeps a key (https://docs.stripe.com/api/idempotent_requests).
 * Throws INVALID_SETTING for a key or address that cannot be one.
 */
export function createStripeGateway(options: StripeGatewayOptions): StripeGateway {
  const { apiKey, apiBase, timeoutMs = TIMEOUT_MS, maxRetries = MAX_RETRIES, importStripe = () => import('stripe'), log, tracer } = options;
  refuseBadSettings(apiKey, apiBase);
  const httpClient = createStripeHttpClient(tracer);
  let loading: Promise<Stripe> | undefined;

  async function openStripe(): Promise<Stripe> {
    const { Stripe } = await importStripe();
    const stripe = new Stripe(apiKey, {
      ...addressOf(apiBase),
      httpClient,
      timeout: timeoutMs,
      maxNetworkRetries: maxRetries,
      telemetry: false,
    });
    stripe.on('response', ({ method, path, status, request_id, elapsed }: Stripe.ResponseEvent) => {
      log.debug({ method, path, status, stripeRequestId: request_id, elapsedMs: elapsed }, 'Stripe answered');
    });
    return stripe;
  }

  /** Once; but what failed is tried again with the next call. */
  function stripeOf(): Promise<Stripe> {
    loading ??= openStripe().catch((thrown: unknown) => {
      loading = undefined;
      throw thrown;
    });
    return loading;
  }

  async function ask<T>(request: StripeRequest, signal: AbortSignal, call: (stripe: Stripe) => Promise<T>): Promise<T> {
    try {
      return await httpClient.within(signal, async () => call(await stripeOf()));
    } catch (thrown) {
      if (signal.aborted && thrown === signal.reason) throw unknownOutcome(`the ${request} was given up before Stripe answered`, thrown);
      throw stripeRefusal(thrown, request, apiKey);
    }
  }

  return {
    charge: (charge, signal) => ask('charge', signal, (stripe) => chargeCard(stripe, charge)),
    useUpKey: (charge, signal) => ask('charge that was called off', signal, (stripe) => useUpKey(stripe, charge)),
    refund: (refund, signal) => ask('refund', signal, (stripe) => refundCard(stripe, refund)),
    lookUp: (paymentIntentId, signal) => ask('reading of a charge', signal, (stripe) => lookUpCharge(stripe, paymentIntentId)),
    findCharges: (orderId, signal) => ask('search for a charge', signal, (stripe) => findChargesOf(stripe, orderId)),
    load: () => stripeOf().then(ignore, ignore),
    stop: () => httpClient.stop(),
  };
}

function ignore(): void {}

function addressOf(apiBase: URL | undefined): Stripe.StripeConfig {
  if (apiBase === undefined) return {};
  const protocol = apiBase.protocol === 'http:' ? 'http' : 'https';
  return { protocol, host: apiBase.hostname, port: apiBase.port || (protocol === 'http' ? 80 : 443) };
}

function refuseBadSettings(apiKey: string, apiBase: URL | undefined): void {
  requireStripeKey(apiKey);
  if (apiBase === undefined) return;
  const { protocol, pathname, search, username, password } = apiBase;
  if (!['http:', 'https:'].includes(protocol) || pathname !== '/' || search !== '' || username !== '' || password !== '') {
    throw refusal('INVALID_SETTING', 'MESH_STRIPE_URL must be like http://127.0.0.1:12111, with no path and no user name');
  }
  if (protocol === 'http:' && !apiKey.includes('_test_')) {
    throw refusal('INVALID_SETTING', 'STRIPE_API_KEY is a live key, and it would be sent in clear text to an http:// address');
  }
}
