import type { Stripe } from 'stripe';

import { errorCode, MeshError, refusal } from '#kit';

type StripeError = InstanceType<typeof Stripe.errors.StripeError>;

/** What was asked of Stripe, as in "Stripe refused the charge". */
export type StripeRequest = 'charge' | 'charge that was called off' | 'refund' | 'reading of a charge' | 'search for a charge';

/** True for what the `stripe` package throws when Stripe, or the way to it, failed. */
export function isStripeError(thrown: unknown): thrown is StripeError {
  return thrown instanceof Error && 'type' in thrown && typeof thrown.type === 'string' && thrown.type.startsWith('Stripe');
}

/**
 * A failed call as the refusal that `CardGateway` promises
 * (https://docs.stripe.com/error-handling, https://docs.stripe.com/api/errors).
 * Whatever does not prove that no money moved is PAYMENT_PROVIDER_UNAVAILABLE.
 */
export function stripeRefusal(thrown: unknown, request: StripeRequest, apiKey: string): MeshError {
  if (!isStripeError(thrown)) return MeshError.from(thrown);
  const error = leanError(thrown, apiKey);
  const details = { cause: error, metadata: metadataOf(thrown) };
  switch (thrown.type) {
    case 'StripeInvalidRequestError':
    case 'StripeCardError':
      return refusal('PAYMENT_REJECTED', `Stripe refused the ${request}: ${error.sentence}`, details);
    case 'StripeIdempotencyError':
      return refusal('IDEMPOTENCY_KEY_REUSED', `the idempotency key of this ${request} stands for other values at Stripe`, details);
    case 'StripeAuthenticationError':
    case 'StripePermissionError':
      return refusal(
        'PAYMENT_PROVIDER_UNAVAILABLE',
        'Stripe refuses our key; set STRIPE_API_KEY to a secret key that may write PaymentIntents and Refunds',
        details,
      );
    default:
      // Not Stripe's, but the simulator's word for what it does not cover; any other 501 may be a proxy's.
      if (thrown.statusCode === 501 && thrown.code === NOT_SIMULATED) return refusal('PAYMENT_REJECTED', error.sentence, details);
      return refusal('PAYMENT_PROVIDER_UNAVAILABLE', `Stripe did not say what became of the ${request}; ask again`, details);
  }
}

/** A refusal for a request that Stripe may have carried out. */
export function unknownOutcome(what: string, cause?: unknown): MeshError {
  return refusal('PAYMENT_PROVIDER_UNAVAILABLE', `${what}; ask again with the same idempotency key`, { cause });
}

/** The simulator's own code. */
const NOT_SIMULATED = 'not_simulated';

/** What of an error may be shown to anybody: what kind it is, and by which id Stripe's dashboard finds the request. */
export function factsOf({ type, statusCode, requestId }: StripeError): string {
  return [type, statusCode, requestId].filter((fact) => fact !== undefined).join(', ');
}

function metadataOf({ code, param, requestId }: StripeError): Record<string, string> {
  return {
    ...(code !== undefined && { stripe_code: code }),
    ...(param !== undefined && { stripe_param: param }),
    // By this id Stripe's dashboard finds the request.
    ...(requestId !== undefined && { stripe_request_id: requestId }),
  };
}

interface LeanError extends Error {
  readonly sentence: string;
}

/**
 * The package's error holds the whole answer: card details, client secrets, headers.
 * For the log only its words are kept, and never our key.
 */
function leanError(error: StripeError, apiKey: string): LeanError {
  const sentence = error.message.replaceAll(apiKey, '***');
  const { detail } = error;
  const below = detail instanceof Error ? new Error([errorCode(detail), detail.message].filter(Boolean).join(': ')) : undefined;
  return Object.assign(new Error(`${sentence} (${factsOf(error)})`, { cause: below }), { name: 'StripeFailure', sentence });
}
