import { expect } from 'chai';

import { cancel, handOver, schedule } from '../../services/shipping/scheduling.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import type { CarrierPoints } from './fake-carrier.ts';
import { newConsignment, patience, type ShippingFixture, startShippingFixture } from './shipping-fixture.ts';

const ORDERS_AT_ONCE = 30;

describe('a shipment asked for and called off at the same time', () => {
  let fixture: ShippingFixture;
  before(async function () {
    this.timeout(20_000);
    fixture = await startShippingFixture();
  });
  afterEach(() => fixture.reset());
  after(() => fixture?.remove());

  /** Holds the carrier up at a point; resolves `arrived` when somebody got there. */
  function holdAt(point: keyof CarrierPoints): { readonly arrived: Promise<void>; goOn(): void } {
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    fixture.carrier.on = {
      [point]() {
        arrived.resolve();
        return gate.promise;
      },
    };
    return { arrived: arrived.promise, goOn: gate.resolve };
  }

  it('ten times over is one shipment and one booking', async () => {
    const wanted = newConsignment();
    const shipments = await Promise.all(Array.from({ length: 10 }, () => schedule(fixture.shipping, wanted, patience())));
    expect(new Set(shipments.map(({ shipmentId, state, trackingNumber }) => `${shipmentId} ${state} ${trackingNumber}`)).size).to.equal(1);
    expect(fixture.carrier.standing(wanted.orderId)).to.deep.equal([shipments[0]?.shipmentId]);
  });

  for (const point of ['beforeBook', 'afterBook'] as const) {
    it(`ends called off when that came in ${point === 'beforeBook' ? 'before' : 'after'} the carrier booked`, async () => {
      const wanted = newConsignment();
      const carrier = holdAt(point);
      const scheduling = expectRefusal('SHIPMENT_CANCELLED', schedule(fixture.shipping, wanted, patience()));
      await carrier.arrived;
      expect((await cancel(fixture.shipping, wanted.orderId, patience())).state).to.equal('CANCELLED');
      carrier.goOn();
      await scheduling;
      expect(await fixture.shipmentOf(wanted.orderId)).to.deep.include({ state: 'CANCELLED' });
      expect(fixture.carrier.standing(wanted.orderId)).to.deep.equal([]);
    });
  }

  it('ends called off for every order, whoever is faster, and nothing stands at the carrier', async () => {
    const orders = Array.from({ length: ORDERS_AT_ONCE }, () => newConsignment());
    await Promise.all(
      orders.map(async (wanted, index) => {
        const booking = () => schedule(fixture.shipping, wanted, patience()).catch(() => undefined);
        const calling = () => cancel(fixture.shipping, wanted.orderId, patience());
        await Promise.all(index % 2 ? [booking(), calling(), booking(), calling()] : [calling(), booking(), calling(), booking()]);
      }),
    );
    for (const { orderId } of orders) {
      expect((await fixture.shipmentOf(orderId))?.state).to.equal('CANCELLED');
      expect(fixture.carrier.standing(orderId)).to.deep.equal([]);
    }
  });

  it('is not handed over while the carrier is being told', async () => {
    const wanted = newConsignment();
    const { shipmentId } = await schedule(fixture.shipping, wanted, patience());
    const carrier = holdAt('beforeCancel');
    const cancelling = cancel(fixture.shipping, wanted.orderId, patience());
    await carrier.arrived;
    await expectRefusal('SHIPMENT_CANCELLED', handOver(fixture.shipping, shipmentId));
    carrier.goOn();
    expect((await cancelling).state).to.equal('CANCELLED');
  });
});
