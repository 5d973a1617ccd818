import { expect } from 'chai';

import type { CardGateway } from '../../services/payment/card-gateway.ts';
import type { Payments } from '../../services/payment/payments.ts';
import { createReconciler } from '../../services/payment/reconciler.ts';
import { until } from '../database/until.ts';
import { ahead, HOUR_MS, type PaymentsFixture, reasonOf, startPayments } from './payments-fixture.ts';

describe('a refund of a charge whose outcome is not known', () => {
  let shop: PaymentsFixture;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());
  afterEach(() => shop.clear());

  /** PROCESSING, and the card company has never heard of it. */
  async function neverSent(orderId: string): Promise<void> {
    shop.company.away = true;
    expect(await reasonOf(shop.charge(orderId))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    shop.company.away = false;
  }

  /** PROCESSING, and what became of it was not heard. */
  async function unheard(orderId: string, paymentMethod?: string): Promise<void> {
    shop.company.loseAnswers(1);
    expect(await reasonOf(shop.charge(orderId, paymentMethod))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
  }

  const endOf = async (orderId: string): Promise<unknown[]> => {
    const { state, declineCode, refunded } = await shop.paymentOf(orderId);
    return [state, declineCode, refunded.minor];
  };

  /** The reconciler settles it, an hour later. */
  async function reconcile(orderId: string, changes: Partial<Payments> = {}): Promise<void> {
    const reconciler = createReconciler(shop.with({ clock: ahead(HOUR_MS), ...changes }), 10);
    reconciler.start();
    await until('it is settled', async () => (await shop.paymentOf(orderId)).state !== 'PROCESSING');
    await reconciler.stop();
  }

  it('charges nobody whose charge has not reached the card company, and nobody is told of one', async () => {
    await neverSent('unsent');
    for (let twice = 0; twice < 2; twice += 1) await shop.refund('unsent');
    expect(await endOf('unsent')).to.deep.equal(['FAILED', 'closed_by_refund', 0n]);
    expect(shop.company.charges).to.deep.equal([]);
    expect(await shop.eventsOf('unsent')).to.deep.equal([]);
    expect(await reasonOf(shop.charge('unsent')), 'a late charge').to.equal('PAYMENT_CLOSED');
  });

  it('gives back what had been charged', async () => {
    await unheard('charged');
    expect((await shop.refund('charged')).state).to.equal('REFUNDED');
    expect(await shop.eventsOf('charged')).to.deep.equal(['PaymentCompleted 10.00', 'PaymentRefunded 10.00 whole']);
    expect(shop.company.charges).to.have.length(1);
  });

  it('finds a decline', async () => {
    await unheard('declined', 'pm_card_chargeDeclined');
    await shop.refund('declined');
    expect(await endOf('declined')).to.deep.equal(['FAILED', 'generic_decline', 0n]);
  });

  it('asks again when the answer is lost, to the same end', async () => {
    await neverSent('lost-again');
    shop.company.loseAnswers(1);
    expect(await reasonOf(shop.refund('lost-again'))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    await shop.refund('lost-again');
    expect(await endOf('lost-again')).to.deep.equal(['FAILED', 'closed_by_refund', 0n]);
  });

  it('is noted, so that no late charge is sent and the reconciler charges nobody for it', async () => {
    await neverSent('noted');
    shop.company.away = true;
    expect(await reasonOf(shop.refund('noted'))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    shop.company.away = false;
    expect(await reasonOf(shop.charge('noted'))).to.equal('PAYMENT_CLOSED');
    await reconcile('noted');
    expect(await endOf('noted')).to.deep.equal(['FAILED', 'closed_by_refund', 0n]);
    expect(shop.company.charges).to.deep.equal([]);
  });

  it('would, without the note, see the reconciler charge for an order that was called off', async () => {
    await neverSent('not-noted');
    shop.company.away = true;
    await reasonOf(shop.refund('not-noted'));
    shop.company.away = false;
    await shop.run('UPDATE payment SET refund_wanted = false');
    await reconcile('not-noted');
    expect((await shop.paymentOf('not-noted')).state).to.equal('COMPLETED');
  });

  it('lets a charge that arrives after it take nothing, and whoever sent that hears so', async () => {
    const sent = Promise.withResolvers<void>();
    const arrive = Promise.withResolvers<void>();
    const slow: CardGateway = {
      ...shop.company,
      async charge(...asked) {
        sent.resolve();
        await arrive.promise;
        return shop.company.charge(...asked);
      },
    };
    const charging = shop.charge('late', 'pm_card_visa', shop.with({ gateway: slow }));
    await sent.promise;
    await shop.refund('late');
    arrive.resolve();
    expect((await charging).declineCode).to.equal('closed_by_refund');
    expect(shop.company.charges).to.deep.equal([]);
  });

  it('sends nothing under a key that may be forgotten, and gives back what it finds', async () => {
    await unheard('old');
    shop.company.forgetKeys();
    const asked = shop.company.asked.length;
    expect((await shop.refund('old', shop.with({ clock: ahead(24 * HOUR_MS) }))).state).to.equal('REFUNDED');
    expect(shop.company.asked.slice(asked)).to.deep.equal(['refund-whole.old-1']);
  });
});
