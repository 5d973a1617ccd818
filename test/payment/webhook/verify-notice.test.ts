import { expect } from 'chai';

import { systemClock } from '#kit';

import { createNoticeVerifier } from '../../../services/payment/webhook/verify-notice.ts';
import { refusalOf } from '../../kit/support.ts';
import { eventOf, SECRET, signatureOf } from './signed.ts';

const MINUTE_MS = 60_000;

describe("an event of Stripe's", () => {
  const verify = createNoticeVerifier({ secret: SECRET, clock: systemClock });
  const body = eventOf('evt_1', 'payment_intent.succeeded', 'pi_1');
  const kindOf = async (signature: string, text = body): Promise<string> => (await verify(Buffer.from(text), signature)).kind;

  it('that is signed with our secret is believed, and what it is about is read', async () => {
    const notice = { eventId: 'evt_1', type: 'payment_intent.succeeded', paymentIntentId: 'pi_1', orderId: undefined };
    expect(await verify(Buffer.from(body), signatureOf(body))).to.deep.equal({ kind: 'notice', notice });
    for (const type of ['charge.refunded', 'charge.dispute.created', 'refund.updated', 'refund.failed']) {
      const text = eventOf('evt_2', type, 'pi_2');
      expect(await verify(Buffer.from(text), signatureOf(text))).to.deep.equal({ kind: 'notice', notice: { eventId: 'evt_2', type, paymentIntentId: 'pi_2', orderId: undefined } });
    }
  });

  it('tells the order of a payment intent, if that is one of ours', async () => {
    for (const [orderId, read] of [['order-1', 'order-1'], ['Order 1', undefined], ['', undefined]] as const) {
      const text = eventOf('evt_1', 'payment_intent.succeeded', 'pi_1', { metadata: { order_id: orderId } });
      const verified = await verify(Buffer.from(text), signatureOf(text));
      expect(verified.kind === 'notice' && verified.notice.orderId).to.equal(read);
    }
  });

  it('may have several signatures, while the secret is changed', async () => {
    expect(await kindOf(`${signatureOf(body)},v1=${'0'.repeat(64)},v0=old`)).to.equal('notice');
  });

  // Made when they are needed: those of a time are of one for minutes only.
  const forged: Readonly<Record<string, () => string>> = {
    'with another secret': () => signatureOf(body, { secret: 'whsec_other' }),
    'for another body': () => signatureOf(`${body} `),
    'six minutes ago': () => signatureOf(body, { atMs: Date.now() - 6 * MINUTE_MS }),
    'for a time to come': () => signatureOf(body, { atMs: Date.now() + 6 * MINUTE_MS }),
    'for next year': () => signatureOf(body, { atMs: Date.now() + 365 * 24 * 60 * MINUTE_MS }),
    'with two times': () => `t=${Math.floor(Date.now() / 1_000)},${signatureOf(body, { atMs: Date.now() - 60 * MINUTE_MS })}`,
    'with no time': () => signatureOf(body).replace(/^t=\d+,/, ''),
    'with a time that is none': () => signatureOf(body).replace(/^t=\d+/, 't=NaN'),
    'by an older scheme only': () => signatureOf(body).replace('v1=', 'v0='),
    'with nothing': () => '',
    'with noise': () => 't=,v1=,,=,',
  };
  for (const [how, signature] of Object.entries(forged)) {
    it(`that is signed ${how} is refused`, async () => expect(await kindOf(signature())).to.equal('refused'));
  }

  it('that is no JSON, or nothing at all, is refused', async () => {
    for (const text of ['', 'noise', '{"id":']) expect(await kindOf(signatureOf(text), text), text).to.equal('refused');
  });

  it('is ignored when it is about nothing that concerns payments here', async () => {
    const others = [
      eventOf('evt_1', 'customer.created', 'pi_1'),
      eventOf('evt_1', 'charge.refunded', ''),
      eventOf('evt_1', 'charge.refunded', '../../v1/customers'),
      JSON.stringify({ id: 'evt_1', object: 'event', type: 'refund.updated', data: { object: { object: 'refund', payment_intent: null } } }),
    ];
    for (const text of others) expect(await kindOf(signatureOf(text), text), text).to.equal('ignored');
  });

  it('is never checked with what cannot be a signing secret, which no error repeats', () => {
    for (const secret of ['sk_test_hush', 'whsec_', 'whsec_hu sh']) {
      const error = refusalOf(() => createNoticeVerifier({ secret, clock: systemClock }));
      expect(error.reason).to.equal('INVALID_SETTING');
      expect(error.message).to.include('STRIPE_WEBHOOK_SECRET').and.not.include('hu');
    }
  });
});
