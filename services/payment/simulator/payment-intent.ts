import type { ChargeRequest } from './charge-request.ts';
import type { Decline } from './test-cards.ts';

/** One attempt to take money. Confirmed on creation, so it is captured or declined from the start; or never, and then it takes none. */
export interface PaymentIntent {
  /** `pi_…`; sorts by time of creation. */
  readonly id: string;
  /** In the unit Stripe counts in. */
  readonly amount: bigint;
  readonly amountRefunded: bigint;
  /** How often a refund of it was refused. */
  readonly refundsRefused: number;
  readonly currency: string;
  /** '' for one that is not confirmed. */
  readonly paymentMethod: string;
  readonly confirmed: boolean;
  /** Null when the money was captured, and when none was asked for. */
  readonly decline: Decline | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

/** @param suffix unique, `[0-9a-z]+` */
export function newPaymentIntent(request: ChargeRequest, suffix: string, createdAt: Date): PaymentIntent {
  const { outcome, amount, currency, paymentMethod, metadata } = request;
  const decline = outcome?.kind === 'declined' ? withoutKind(outcome) : null;
  return { id: `pi_${suffix}`, amount, amountRefunded: 0n, refundsRefused: 0, currency, paymentMethod, confirmed: outcome !== undefined, decline, metadata, createdAt };
}

function withoutKind({ code, declineCode, message }: Decline): Decline {
  return { code, message, ...(declineCode !== undefined && { declineCode }) };
}

/** An intent has one charge here, which goes by the same suffix (`ch_…`). */
export function chargeIdOf(paymentIntentId: string): string {
  return paymentIntentId.replace('pi_', 'ch_');
}

/** As Stripe shows it: https://docs.stripe.com/api/payment_intents/object. Amounts are below 10^12, so a number holds them. */
export function toStripePaymentIntent(intent: PaymentIntent): object {
  const { id, amount, currency, paymentMethod, confirmed, decline, metadata, createdAt } = intent;
  const isCaptured = confirmed && decline === null;
  return {
    id,
    object: 'payment_intent',
    amount: Number(amount),
    amount_capturable: 0,
    amount_received: isCaptured ? Number(amount) : 0,
    automatic_payment_methods: { allow_redirects: 'never', enabled: true },
    canceled_at: null,
    capture_method: 'automatic_async',
    client_secret: null,
    confirmation_method: 'automatic',
    created: Math.floor(createdAt.getTime() / 1000),
    currency,
    customer: null,
    description: null,
    last_payment_error: decline && toStripeCardError(intent, decline),
    latest_charge: confirmed ? chargeIdOf(id) : null,
    livemode: false,
    metadata,
    next_action: null,
    // Stripe takes a payment method off an intent that it was declined for.
    payment_method: isCaptured ? paymentMethod : null,
    payment_method_types: ['card'],
    processing: null,
    status: isCaptured ? 'succeeded' : 'requires_payment_method',
  };
}

/** The part that `last_payment_error` and the body of a 402 have in common. */
export function toStripeCardError({ id, paymentMethod }: PaymentIntent, { code, declineCode, message }: Decline): StripeCardError {
  return {
    type: 'card_error',
    charge: chargeIdOf(id),
    code,
    ...(declineCode !== undefined && { decline_code: declineCode }),
    doc_url: `https://docs.stripe.com/error-codes/${code.replaceAll('_', '-')}`,
    message,
    payment_method: { id: paymentMethod, object: 'payment_method', type: 'card' },
  };
}

interface StripeCardError {
  readonly type: 'card_error';
  readonly charge: string;
  readonly code: string;
  readonly decline_code?: string;
  readonly doc_url: string;
  readonly message: string;
  readonly payment_method: object;
}
