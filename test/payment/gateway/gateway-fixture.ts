import { trace } from '@opentelemetry/api';

import { silentLog } from '#kit';
import { SIMULATOR_KEY } from '#stripe-simulator';

import type { CardCharge, CardRefund } from '../../../services/payment/card-gateway.ts';
import { createStripeGateway, type StripeGateway, type StripeGatewayOptions } from '../../../services/payment/stripe-gateway.ts';

/** No caller gives up in the tests that do not say so. */
export const patience = (): AbortSignal => new AbortController().signal;

/** A gateway that asks once, unless the test says otherwise. */
export function openGateway(
  url: string,
  options: Partial<Omit<StripeGatewayOptions, 'apiBase' | 'tracer'>> = {},
): StripeGateway {
  return createStripeGateway({
    apiKey: SIMULATOR_KEY,
    apiBase: new URL(url),
    timeoutMs: 5_000,
    maxRetries: 0,
    log: silentLog,
    tracer: trace.getTracer('test'),
    ...options,
  });
}

/** A charge of 12.50 EUR under a key that goes by the order. */
export function chargeOf(orderId: string, changes: Partial<CardCharge> = {}): CardCharge {
  return {
    idempotencyKey: `charge-${orderId}`,
    orderId,
    amount: { minor: 1250n, currency: 'EUR' },
    paymentMethod: 'pm_card_visa',
    ...changes,
  };
}

/** A refund of all that such a charge took. */
export function refundOf(idempotencyKey: string, paymentIntentId: string, changes: Partial<CardRefund> = {}): CardRefund {
  return { idempotencyKey, paymentIntentId, amount: { minor: 1250n, currency: 'EUR' }, orderId: 'refunded', refundId: idempotencyKey, ...changes };
}
