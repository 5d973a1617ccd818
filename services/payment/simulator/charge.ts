import { chargeIdOf, type PaymentIntent } from './payment-intent.ts';

/** The charge of a captured intent, as events show it: https://docs.stripe.com/api/charges/object. */
export function toStripeCharge({ id, amount, amountRefunded, currency, paymentMethod, metadata, createdAt }: PaymentIntent): object {
  return {
    id: chargeIdOf(id),
    object: 'charge',
    amount: Number(amount),
    amount_captured: Number(amount),
    amount_refunded: Number(amountRefunded),
    captured: true,
    created: Math.floor(createdAt.getTime() / 1000),
    currency,
    livemode: false,
    metadata,
    paid: true,
    payment_intent: id,
    payment_method: paymentMethod,
    // Only of the whole amount; of a part amount_refunded tells.
    refunded: amountRefunded === amount,
    status: 'succeeded',
  };
}
