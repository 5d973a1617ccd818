import { type Answer, errorAnswer, missing, okAnswer } from './answer.ts';
import { readChargeRequest } from './charge-request.ts';
import { type Form, takeOnly } from './form.ts';
import { keepAnswer, type KeyedRequest } from './idempotency.ts';
import { PAGE_PARAMETERS, readPage, toStripeList } from './paging.ts';
import { newPaymentIntent, type PaymentIntent, toStripeCardError, toStripePaymentIntent } from './payment-intent.ts';
import { findPaymentIntent, listPaymentIntents, recordCharge } from './payment-intent-store.ts';
import { newSuffix, now, type Simulator } from './simulator.ts';
import { announce } from './webhooks.ts';

/** `POST /v1/payment_intents`: takes the money or says why not, or takes none where it is not confirmed, in one transaction with the answer it keeps. */
export async function createPaymentIntent(simulator: Simulator, form: Form, keyed: KeyedRequest | undefined): Promise<Answer> {
  const intent = newPaymentIntent(readChargeRequest(form), newSuffix(simulator), now(simulator));
  const answer = answerTo(intent);
  await simulator.db.transaction('stripe_simulator.charge', async (tx) => {
    await recordCharge(tx, intent);
    await keepAnswer(tx, keyed, answer, intent.createdAt);
    const type = intent.decline === null ? 'payment_intent.succeeded' : 'payment_intent.payment_failed';
    if (intent.confirmed) await announce(simulator, tx, keyed, [{ type, object: toStripePaymentIntent(intent) }]);
  });
  simulator.background.wakeDelivery();
  return answer;
}

/** `GET /v1/payment_intents/:id` */
export async function getPaymentIntent({ db }: Simulator, id: string, form: Form): Promise<Answer> {
  takeOnly(form, []);
  const intent = await findPaymentIntent(db, id);
  if (intent === undefined) throw missing(404, 'payment_intent', id, 'intent');
  return okAnswer(toStripePaymentIntent(intent));
}

/** `GET /v1/payment_intents`, newest first. */
export async function getPaymentIntents({ db }: Simulator, form: Form): Promise<Answer> {
  takeOnly(form, PAGE_PARAMETERS);
  const page = readPage(form);
  const found = await listPaymentIntents(db, page);
  return okAnswer(toStripeList('/v1/payment_intents', found.map(toStripePaymentIntent), page));
}

function answerTo(intent: PaymentIntent): Answer {
  const shown = toStripePaymentIntent(intent);
  if (intent.decline === null) return okAnswer(shown);
  return errorAnswer(402, { ...toStripeCardError(intent, intent.decline), payment_intent: shown });
}
