import { join } from 'node:path';

import { expect } from 'chai';

import { type Database, migrate } from '#database';
import { type Clock, MeshError, refusal, silentLog, systemClock } from '#kit';

import type { CardCharge, CardGateway } from '../../services/payment/card-gateway.ts';
import { charge, paymentOf, refund } from '../../services/payment/charging.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';

const HOUR_MS = 3_600_000;
const SIGNAL = new AbortController().signal;

describe('a charge whose answer never came', () => {
  let test: TestDatabase;
  let database: Database;
  before(async () => {
    test = await createTestDatabase();
    const components = [{ name: 'payment', directory: join(import.meta.dirname, '..', '..', 'services', 'payment', 'migrations') }];
    await migrate({ url: test.url, schema: 'shop', components, log: silentLog });
    database = openTestDatabase({ url: test.url, maxConnections: 2 });
  });
  after(async () => {
    await database?.stop();
    await test?.drop();
  });

  /** A card company that does not answer the first charge, and takes the money at every later one. */
  function forgetful(): { gateway: CardGateway; asked: CardCharge[] } {
    const asked: CardCharge[] = [];
    const gateway: CardGateway = {
      async charge(request) {
        asked.push(request);
        if (asked.length === 1) throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'no answer');
        return { kind: 'captured', paymentIntentId: 'pi_1' };
      },
      refund: async () => ({ refundId: 're_1' }),
    };
    return { gateway, asked };
  }

  const later = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms });
  const wanted = (orderId: string) => ({ orderId, amount: { minor: 700n, currency: 'EUR' }, paymentMethod: 'pm_card_visa' });
  const reasonOf = (call: Promise<unknown>): Promise<string> => call.then(() => '', (thrown: unknown) => MeshError.from(thrown).reason);

  it('is asked for again under the same key while the card company knows that', async () => {
    const { gateway, asked } = forgetful();
    expect(await reasonOf(charge({ database, gateway, clock: systemClock }, wanted('soon'), SIGNAL))).to.equal('PAYMENT_PROVIDER_UNAVAILABLE');
    expect((await charge({ database, gateway, clock: later(22 * HOUR_MS) }, wanted('soon'), SIGNAL)).state).to.equal('COMPLETED');
    expect(new Set(asked.map(({ idempotencyKey }) => idempotencyKey)).size).to.equal(1);
  });

  it('is never sent again once the card company may have forgotten the key: that would be a second charge', async () => {
    const { gateway, asked } = forgetful();
    await reasonOf(charge({ database, gateway, clock: systemClock }, wanted('late'), SIGNAL));
    const charging = { database, gateway, clock: later(24 * HOUR_MS) };
    expect(await reasonOf(charge(charging, wanted('late'), SIGNAL))).to.equal('PAYMENT_OUTCOME_UNKNOWN');
    expect(await reasonOf(refund(charging, 'late', SIGNAL)), 'nor in order to be refunded').to.equal('PAYMENT_OUTCOME_UNKNOWN');
    expect(asked).to.have.length(1);
    expect((await paymentOf(database, 'late')).state).to.equal('PROCESSING');
  });
});
