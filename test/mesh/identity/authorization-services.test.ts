import { expect } from 'chai';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { type GuardedShop, startGuardedShop } from './access-fixture.ts';
import { as, createPeople, type People } from './people.ts';

const CHARGE = { orderId: 'order-of-ada', amount: { currencyCode: 'EUR', units: 1n }, paymentMethod: 'pm_card_visa' };

describe('authorization of services', () => {
  let people: People;
  let shop: GuardedShop;
  before(async () => {
    people = await createPeople();
  });
  afterEach(() => shop.stop());

  for (const transport of ['local', 'mtls'] as const) {
    describe(`over ${transport} calls`, () => {
      beforeEach(async () => {
        shop = await startGuardedShop({ people, transport });
      });

      it('lets one call what is for it, on its own account', async () => {
        await shop.paymentsOfOrder.charge(CHARGE);
        expect(shop.done).to.deep.equal(['charge order-of-ada']);
      });

      it('refuses another one, and everybody with a token', async () => {
        await expectRefusal('SERVICES_ONLY', shop.payments.charge(CHARGE));
        await expectRefusal('SERVICES_ONLY', shop.payments.charge(CHARGE, as(await people.token('ada', 'staff'))));
        expect(shop.done).to.deep.equal([]);
      });
    });
  }

  it('refuses everybody where nothing proves who calls', async () => {
    shop = await startGuardedShop({ people, transport: 'remote' });
    await expectRefusal('SERVICES_ONLY', shop.paymentsOfOrder.charge(CHARGE));
  });

  it('takes one token of a call, and not several', async () => {
    shop = await startGuardedShop({ people, transport: 'local' });
    const authorization = [`Bearer ${await people.token('ada')}`, `Bearer ${await people.token('bo')}`];
    await expectRefusal('ACCESS_TOKEN_REFUSED', shop.orders.listOrders({ userId: 'ada' }, { headers: { authorization } }));
    expect(shop.done).to.deep.equal([]);
  });
});
