import { expect } from 'chai';

import { refusal } from '#kit';

import type { Consignment } from '../../services/shipping/domain.ts';
import { cancel, handOver, schedule } from '../../services/shipping/scheduling.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import type { CarrierPoints } from './fake-carrier.ts';
import { newConsignment, patience, type ShippingFixture, startShippingFixture } from './shipping-fixture.ts';

describe('a shipment whose process died', () => {
  let fixture: ShippingFixture;
  before(async function () {
    this.timeout(20_000);
    fixture = await startShippingFixture();
  });
  afterEach(() => fixture.reset());
  after(() => fixture?.remove());

  const scheduled = (wanted: Consignment) => schedule(fixture.shipping, wanted, patience());
  const cancelled = ({ orderId }: Consignment) => cancel(fixture.shipping, orderId, patience());

  /** Runs `work` in a process that dies at this point of its talk with the carrier, and returns what it left behind. */
  async function dieAt(point: keyof CarrierPoints, wanted: Consignment, work: (wanted: Consignment) => Promise<unknown>) {
    const died = refusal('CARRIER_UNAVAILABLE', 'the process died here');
    fixture.carrier.on = { [point]: () => Promise.reject(died) };
    await expectRefusal('CARRIER_UNAVAILABLE', work(wanted));
    fixture.carrier.on = {};
    const left = await fixture.shipmentOf(wanted.orderId);
    if (!left) throw new Error('it left no shipment behind');
    return left;
  }

  const whileBooking: Readonly<Record<string, keyof CarrierPoints>> = {
    'before the carrier was asked': 'beforeBook',
    'after the carrier had booked, before that was noted': 'afterBook',
  };
  for (const [when, point] of Object.entries(whileBooking)) {
    it(`${when}, is booked once when it is asked for again`, async () => {
      const wanted = newConsignment();
      const { shipmentId, state } = await dieAt(point, wanted, scheduled);
      expect(state).to.equal('BOOKING');
      expect(await scheduled(wanted)).to.deep.include({ shipmentId, state: 'SCHEDULED', trackingNumber: `track-${shipmentId}` });
      expect(fixture.carrier.asked(shipmentId)).to.deep.equal(['book', 'book']);
      expect(fixture.carrier.standing(wanted.orderId)).to.deep.equal([shipmentId]);
    });

    it(`${when}, is called off at the carrier, and then not booked any more`, async () => {
      const wanted = newConsignment();
      const { shipmentId } = await dieAt(point, wanted, scheduled);
      expect(await cancelled(wanted)).to.deep.include({ shipmentId, state: 'CANCELLED' });
      await expectRefusal('SHIPMENT_CANCELLED', scheduled(wanted));
      expect(fixture.carrier.asked(shipmentId)).to.deep.equal(['book', 'cancel']);
      expect(fixture.carrier.standing(wanted.orderId)).to.deep.equal([]);
    });

    it(`${when}, is not handed over and not taken for another one`, async () => {
      const wanted = newConsignment();
      const { shipmentId } = await dieAt(point, wanted, scheduled);
      await expectRefusal('SHIPMENT_NOT_SCHEDULED', handOver(fixture.shipping, shipmentId));
      await expectRefusal('IDEMPOTENCY_KEY_REUSED', scheduled({ ...wanted, lines: [{ productId: 'grinder', quantity: 3 }] }));
    });
  }

  it('after the carrier had refused, is refused in the same words when it is asked for again', async () => {
    const wanted = newConsignment();
    fixture.carrier.refuse('too heavy');
    const { shipmentId } = await dieAt('afterBook', wanted, scheduled);
    for (let twice = 0; twice < 2; twice += 1) {
      const { message } = await expectRefusal('CARRIER_REFUSED', scheduled(wanted));
      expect(message).to.contain('too heavy');
    }
    // The second answer is our own: the carrier's is final.
    expect(fixture.carrier.asked(shipmentId)).to.deep.equal(['book', 'book']);
    await expectRefusal('SHIPMENT_NOT_SCHEDULED', handOver(fixture.shipping, shipmentId));
    expect(await cancelled(wanted)).to.deep.include({ state: 'REFUSED', refusal: 'too heavy' });
  });

  const whileCancelling: Readonly<Record<string, keyof CarrierPoints>> = {
    'before the carrier was told that it is off': 'beforeCancel',
    'after the carrier was told that it is off': 'afterCancel',
  };
  for (const [when, point] of Object.entries(whileCancelling)) {
    it(`${when}, is neither booked nor handed over, and the carrier is told again`, async () => {
      const wanted = newConsignment();
      await scheduled(wanted);
      const { shipmentId, state } = await dieAt(point, wanted, cancelled);
      expect(state).to.equal('CANCELLING');
      await expectRefusal('SHIPMENT_CANCELLED', scheduled(wanted));
      await expectRefusal('SHIPMENT_CANCELLED', handOver(fixture.shipping, shipmentId));
      for (let twice = 0; twice < 2; twice += 1) expect((await cancelled(wanted)).state).to.equal('CANCELLED');
      expect(fixture.carrier.asked(shipmentId)).to.deep.equal(['book', 'cancel', 'cancel']);
      expect(fixture.carrier.standing(wanted.orderId)).to.deep.equal([]);
    });
  }
});
