import { expect } from 'chai';

import { systemClock, systemRandom } from '#kit';

import { settledEvent } from '../../services/payment/events.ts';
import type { AnnouncedSettlement } from '../../services/payment/payment-writer.ts';
import type { Settlement } from '../../services/payment/store.ts';
import { eur, type PaymentsFixture, startPayments } from './payments-fixture.ts';

describe('the writer of payments', () => {
  let shop: PaymentsFixture;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());

  const now = new Date();
  const opening = (orderId: string, minor = 1_000n) =>
    shop.payments.writer.open({ orderId, amount: eur(minor), paymentMethod: 'pm_card_visa', traceParent: undefined, now, checkTime: now });

  function announced(settlement: Settlement): AnnouncedSettlement {
    return { settlement, event: settledEvent({ clock: systemClock, random: systemRandom }, eur(1_000n), settlement) };
  }

  it('opens one payment of each order, as the first of those that come together has it', async () => {
    const opened = await Promise.all([opening('b', 100n), opening('a', 200n), opening('b', 300n)]);
    expect(opened.map((payment) => payment?.amount.minor)).to.deep.equal([100n, 200n, undefined]);
    expect((await shop.paymentOf('b')).amount.minor).to.equal(100n);
  });

  it('settles one that two settle together once, and announces what it has written', async () => {
    await Promise.all([opening('two'), opening('one')]);
    const settled = await Promise.all(
      [
        announced({ orderId: 'two', now, state: 'COMPLETED', paymentIntentId: 'pi_2' }),
        announced({ orderId: 'one', now, state: 'COMPLETED', paymentIntentId: 'pi_1' }),
        announced({ orderId: 'two', now, state: 'FAILED', paymentIntentId: '', declineCode: 'generic_decline' }),
      ].map((settlement) => shop.payments.writer.settle(settlement)),
    );
    expect(settled.map((payment) => payment?.state)).to.deep.equal(['COMPLETED', 'COMPLETED', undefined]);
    expect((await shop.paymentOf('two')).state).to.equal('COMPLETED');
    expect(await shop.eventsOf('two')).to.deep.equal(['PaymentCompleted 10.00']);
  });
});
