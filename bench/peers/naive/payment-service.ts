import type { Stripe as StripeClient } from 'stripe';

import { type MoneyMessage, minorOf, moneyOf } from './catalogue-services.ts';
import { inTransaction, type Pool } from './database.ts';
import { appendEvent } from './outbox.ts';
import type { Handlers } from './rpc.ts';
import type { StripeLibrary } from './telemetry.ts';

interface ChargeRequest {
  readonly order_id: string;
  readonly amount: MoneyMessage;
  readonly payment_method: string;
}

interface PaymentRow {
  readonly state: string;
  readonly amount_minor: string;
  readonly currency: string;
  readonly payment_method: string;
  readonly payment_intent_id: string | null;
  readonly decline_code: string | null;
}

export function paymentHandlers(pool: Pool, Stripe: StripeLibrary, stripeUrl: URL, apiKey: string): Handlers {
  const stripe = new Stripe(apiKey, { protocol: 'http', host: stripeUrl.hostname, port: stripeUrl.port, telemetry: false });

  async function findPayment(orderId: string): Promise<PaymentRow | undefined> {
    const { rows } = await pool.query<PaymentRow>('SELECT state, amount_minor, currency, payment_method, payment_intent_id, decline_code FROM payment WHERE order_id = $1', [orderId]);
    return rows[0];
  }

  async function settle(orderId: string, intent: StripeClient.PaymentIntent): Promise<void> {
    await inTransaction(pool, async (tx) => {
      await tx.query("UPDATE payment SET state = 'COMPLETED', payment_intent_id = $2, updated_at = now() WHERE order_id = $1 AND state = 'PROCESSING'", [orderId, intent.id]);
      await appendEvent(tx, 'PaymentCompleted', orderId, { amount: intent.amount, currency: intent.currency });
    });
  }

  async function decline(orderId: string, code: string): Promise<void> {
    await inTransaction(pool, async (tx) => {
      await tx.query("UPDATE payment SET state = 'FAILED', decline_code = $2, updated_at = now() WHERE order_id = $1 AND state = 'PROCESSING'", [orderId, code]);
      await appendEvent(tx, 'PaymentFailed', orderId, { code });
    });
  }

  async function askStripe({ order_id, amount, payment_method }: ChargeRequest): Promise<void> {
    try {
      const params = { amount: minorOf(amount), currency: amount.currency_code.toLowerCase(), payment_method, confirm: true, metadata: { order_id } };
      const automatic = { automatic_payment_methods: { enabled: true, allow_redirects: 'never' as const } };
      await settle(order_id, await stripe.paymentIntents.create({ ...params, ...automatic }, { idempotencyKey: `charge-${order_id}` }));
    } catch (thrown) {
      if (!(thrown instanceof Stripe.errors.StripeCardError)) throw thrown;
      await decline(order_id, thrown.decline_code ?? thrown.code ?? 'declined');
    }
  }

  return {
    async Charge(request: ChargeRequest) {
      const { order_id, amount, payment_method } = request;
      await inTransaction(pool, async (tx) => {
        const text = "INSERT INTO payment (order_id, state, amount_minor, currency, payment_method) VALUES ($1, 'PROCESSING', $2, $3, $4) ON CONFLICT DO NOTHING";
        await tx.query(text, [order_id, minorOf(amount), amount.currency_code, payment_method]);
      });
      const opened = await findPayment(order_id);
      if (opened?.state === 'PROCESSING') await askStripe(request);
      const payment = await findPayment(order_id);
      return { payment: payment && messageOf(order_id, payment) };
    },
  };
}

function messageOf(order_id: string, { state, amount_minor, currency, payment_method, payment_intent_id, decline_code }: PaymentRow): object {
  const amount = moneyOf(Number(amount_minor), currency);
  return { order_id, state: `PAYMENT_STATE_${state}`, amount, payment_method, payment_intent_id: payment_intent_id ?? '', decline_code: decline_code ?? '' };
}
