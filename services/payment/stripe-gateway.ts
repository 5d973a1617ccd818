import type { Tracer } from '@opentelemetry/api';
import type { Stripe } from 'stripe';

import { type Log, refusal, type Stoppable } from '#kit';

import type { CardCharge, CardGateway, ChargeOutcome } from './card-gateway.ts';
import { toStripeAmount } from './stripe-amount.ts';
import { isStripeError, stripeRefusal, type StripeRequest, unknownOutcome } from './stripe-errors.ts';
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
  const { apiKey, apiBase, timeoutMs = TIMEOUT_MS, maxRetries = MAX_RETRIES, log, tracer } = options;
  refuseBadSettings(apiKey, apiBase);
  const httpClient = createStripeHttpClient(tracer);
  let loading: Promise<Stripe> | undefined;

  async function openStripe(): Promise<Stripe> {
    const { Stripe } = await import('stripe');
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

  async function ask<T>(request: StripeRequest, signal: AbortSignal, call: (stripe: Stripe) => Promise<T>): Promise<T> {
    try {
      return await httpClient.within(signal, async () => call(await (loading ??= openStripe())));
    } catch (thrown) {
      if (signal.aborted && thrown === signal.reason) throw unknownOutcome(`the ${request} was given up before Stripe answered`, thrown);
      throw stripeRefusal(thrown, request, apiKey);
    }
  }

  return {
    charge: (charge, signal) => ask('charge', signal, (stripe) => chargeCard(stripe, charge)),
    refund: (refund, signal) => ask('refund', signal, (stripe) => refundCard(stripe, refund)),
    load: () => (loading ??= openStripe()).then(ignore, ignore),
    stop: () => httpClient.stop(),
  };
}

function ignore(): void {}

async function chargeCard(stripe: Stripe, charge: CardCharge): Promise<ChargeOutcome> {
  const { idempotencyKey } = charge;
  try {
    const intent = await stripe.paymentIntents.create(chargeParams(charge), { idempotencyKey });
    // A resend repeats the first answer for ever, so what has become of the money since must be read.
    return outcomeOf(intent.status === 'processing' ? await stripe.paymentIntents.retrieve(intent.id) : intent);
  } catch (thrown) {
    if (!isStripeError(thrown) || thrown.type !== 'StripeCardError') throw thrown;
    const paymentIntentId = thrown.payment_intent?.id ?? '';
    return { kind: 'declined', paymentIntentId, declineCode: declineCodeOf(thrown) };
  }
}

/** Creates and confirms in one request: https://docs.stripe.com/api/payment_intents/create. */
function chargeParams({ amount, paymentMethod, orderId }: CardCharge): Stripe.PaymentIntentCreateParams {
  const stripeAmount = Number(toStripeAmount(amount));
  if (!Number.isSafeInteger(stripeAmount)) throw refusal('PAYMENT_REJECTED', `${stripeAmount} is more than Stripe takes in one payment`);
  return {
    amount: stripeAmount,
    currency: amount.currency.toLowerCase(),
    payment_method: paymentMethod,
    confirm: true,
    // Nobody is there to be sent to a bank's page.
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    metadata: { order_id: orderId },
  };
}

/** What a status after confirming means: https://docs.stripe.com/payments/paymentintents/lifecycle. */
function outcomeOf({ id, status, last_payment_error }: Stripe.PaymentIntent): ChargeOutcome {
  switch (status) {
    case 'succeeded':
      return { kind: 'captured', paymentIntentId: id };
    case 'processing':
    case 'requires_capture':
      throw unknownOutcome(`Stripe has not settled the charge yet (${status})`);
    case 'requires_action':
      // The bank wants the customer to confirm, and the customer is not here; without that no money moves.
      return { kind: 'declined', paymentIntentId: id, declineCode: 'authentication_required' };
    default:
      return { kind: 'declined', paymentIntentId: id, declineCode: declineCodeOf(last_payment_error ?? {}) };
  }
}

/** Some declines, such as an expired card, have an error code only (https://docs.stripe.com/declines/codes). */
function declineCodeOf({ decline_code, code }: { decline_code?: string; code?: string }): string {
  return decline_code || code || 'generic_decline';
}

function addressOf(apiBase: URL | undefined): Stripe.StripeConfig {
  if (apiBase === undefined) return {};
  const protocol = apiBase.protocol === 'http:' ? 'http' : 'https';
  return { protocol, host: apiBase.hostname, port: apiBase.port || (protocol === 'http' ? 80 : 443) };
}

function refuseBadSettings(apiKey: string, apiBase: URL | undefined): void {
  // Never repeated in the sentence: what was pasted may be a secret, only not this one.
  if (!/^[sr]k_\w+$/.test(apiKey)) {
    throw refusal('INVALID_SETTING', 'STRIPE_API_KEY is not a secret key of Stripe; it begins with sk_ or rk_');
  }
  if (apiBase === undefined) return;
  if (!['http:', 'https:'].includes(apiBase.protocol) || apiBase.pathname !== '/' || apiBase.search !== '') {
    throw refusal('INVALID_SETTING', 'MESH_STRIPE_URL must be like http://127.0.0.1:12111, with no path');
  }
  if (apiBase.protocol === 'http:' && !apiKey.includes('_test_')) {
    throw refusal('INVALID_SETTING', 'STRIPE_API_KEY is a live key, and it would be sent in clear text to an http:// address');
  }
}
