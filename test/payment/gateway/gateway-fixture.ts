import { trace } from '@opentelemetry/api';

import { type Log, silentLog } from '#kit';
import { SIMULATOR_KEY } from '#stripe-simulator';

import type { CardCharge } from '../../../services/payment/card-gateway.ts';
import { createStripeGateway, type StripeGateway } from '../../../services/payment/stripe-gateway.ts';

/** No caller gives up in the tests that do not say so. */
export const patience = (): AbortSignal => new AbortController().signal;

/** A gateway that asks once, unless the test says otherwise. */
export function openGateway(
  url: string,
  options: { apiKey?: string; timeoutMs?: number; maxRetries?: number; log?: Log } = {},
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
