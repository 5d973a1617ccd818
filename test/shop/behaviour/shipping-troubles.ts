import { expect } from 'chai';

import { ShipmentState } from '#proto/shop/shipping/v1/shipping_pb.js';

import { refusalOf } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';
import { ADDRESS, bookOf, cancel, requestTo, schedule, shipmentOf } from './shipments.ts';

/** Enough for the slow carrier to be asked, on a slow machine too. */
const IMPATIENT_MS = 1_000;

/** What shipping promises when the carrier does not do as it is told, and when a shipment is called off. */
export function describeShippingTroubles(shopOf: () => Shop): void {
  describeCarriers(shopOf);
  describeCancelling(shopOf);
}

function describeCarriers(shopOf: () => Shop): void {
  describe('a carrier', () => {
    it('that refuses is quoted, again at every repeat, and there is nothing to call off', async () => {
      const shop = shopOf();
      const request = requestTo('SIM-REFUSE');
      for (let twice = 0; twice < 2; twice += 1) {
        const error = await refusalOf(schedule(shop, request));
        expect(error).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'CARRIER_REFUSED' });
        expect(error.message).to.contain('we do not deliver to postal code SIM-REFUSE');
      }
      const refused = await shipmentOf(shop, request.orderId);
      expect(refused).to.deep.include({ state: ShipmentState.REFUSED, trackingNumber: '', refusal: 'we do not deliver to postal code SIM-REFUSE' });
      expect(await cancel(shop, request.orderId)).to.deep.equal(refused);
      expect(await bookOf(shop, request.orderId)).to.deep.equal([]);
    });

    it('that does not answer in time is asked again, under the same key', async () => {
      const shop = shopOf();
      const request = requestTo('SIM-SLOW');
      const error = await refusalOf(shop.shipping.scheduleShipment(request, { deadlineMs: IMPATIENT_MS }));
      expect(error.code).to.equal('DEADLINE_EXCEEDED');
      const booking = await shipmentOf(shop, request.orderId);
      expect(booking).to.deep.include({ state: ShipmentState.BOOKING, trackingNumber: '' });
      expect(await schedule(shop, request)).to.deep.include({ state: ShipmentState.SCHEDULED, shipmentId: booking.shipmentId });
      expect(await bookOf(shop, request.orderId)).to.have.length(1);
    });

    it('that fails twice is asked a third time', async () => {
      const shop = shopOf();
      const request = requestTo('SIM-FAIL');
      for (let twice = 0; twice < 2; twice += 1) {
        expect(await refusalOf(schedule(shop, request))).to.deep.include({ code: 'UNAVAILABLE', reason: 'CARRIER_UNAVAILABLE' });
      }
      expect(await bookOf(shop, request.orderId)).to.deep.equal([]);
      expect((await schedule(shop, request)).state).to.equal(ShipmentState.SCHEDULED);
      expect(await bookOf(shop, request.orderId)).to.have.length(1);
    });

    it('whose answer is lost has booked once, and says so at the repeat', async () => {
      const shop = shopOf();
      const request = requestTo('SIM-LOST');
      expect((await refusalOf(schedule(shop, request))).reason).to.equal('CARRIER_UNAVAILABLE');
      const booked = await bookOf(shop, request.orderId);
      expect(booked.map(({ state }) => state)).to.deep.equal(['BOOKED']);
      expect((await schedule(shop, request)).trackingNumber).to.equal(booked[0]?.trackingNumber);
      expect(await bookOf(shop, request.orderId)).to.deep.equal(booked);
    });
  });
}

function describeCancelling(shopOf: () => Shop): void {
  describe('a shipment that is called off', () => {
    for (const [when, postalCode, inTheBook] of [
      ['once it is booked', ADDRESS.postalCode, ['CANCELLED']],
      ['while nobody knows that the carrier has booked it', 'SIM-LOST', ['CANCELLED']],
      ['while the carrier has not booked it', 'SIM-FAIL', []],
    ] as const) {
      it(`${when}, is off at the carrier too, and cannot be scheduled any more`, async () => {
        const shop = shopOf();
        const request = requestTo(postalCode);
        await schedule(shop, request).catch(() => undefined);
        const cancelled = await cancel(shop, request.orderId);
        expect(cancelled.state).to.equal(ShipmentState.CANCELLED);
        expect(await cancel(shop, request.orderId)).to.deep.equal(cancelled);
        for (let tries = 0; tries < 3; tries += 1) {
          const error = await refusalOf(schedule(shop, request));
          expect(error).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'SHIPMENT_CANCELLED' });
        }
        expect((await bookOf(shop, request.orderId)).map(({ state }) => state)).to.deep.equal(inTheBook);
      });
    }

    it('before it was asked for, is refused when it is asked for late', async () => {
      const shop = shopOf();
      const request = requestTo();
      const cancelled = await cancel(shop, request.orderId);
      expect(cancelled).to.deep.include({ orderId: request.orderId, state: ShipmentState.CANCELLED, trackingNumber: '', lines: [] });
      expect(await cancel(shop, request.orderId)).to.deep.equal(cancelled);
      expect((await refusalOf(schedule(shop, request))).reason).to.equal('SHIPMENT_CANCELLED');
      expect(await bookOf(shop, request.orderId)).to.deep.equal([]);
    });
  });
}
