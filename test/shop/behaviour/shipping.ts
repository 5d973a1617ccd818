import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { OrderState } from '#proto/shop/order/v1/order_pb.js';
import { ShipmentState } from '#proto/shop/shipping/v1/shipping_pb.js';

import { newProduct, newUser, place, refusalOf, requestFor } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';
import { ADDRESS, bookOf, cancel, LINES, requestTo, type Schedule, schedule, shipmentOf } from './shipments.ts';
import { describeShippingTroubles } from './shipping-troubles.ts';

/** What the shipping service promises. */
export function describeShipping(shopOf: () => Shop): void {
  describeScheduling(shopOf);
  describeShippingTroubles(shopOf);
  describeHandOver(shopOf);
  describeShippingRequests(shopOf);
}

function describeScheduling(shopOf: () => Shop): void {
  describe('a shipment', () => {
    it('is booked with the carrier, and can be read by its id and by its order', async () => {
      const shop = shopOf();
      const request = requestTo();
      const shipment = await schedule(shop, request);
      expect(shipment).to.deep.include({ orderId: request.orderId, state: ShipmentState.SCHEDULED, refusal: '' });
      expect(shipment.address).to.deep.include(ADDRESS);
      expect(shipment.lines.map(({ productId, quantity }) => ({ productId, quantity }))).to.deep.equal(LINES);
      expect(shipment.trackingNumber).to.match(/^SIM(-[0-9A-Z]{4}){3}-\d\d$/);
      expect((await shop.shipping.getShipment({ shipmentId: shipment.shipmentId })).shipment).to.deep.equal(shipment);
      expect(await shipmentOf(shop, request.orderId)).to.deep.equal(shipment);
    });

    it('is booked once, however often and at once it is asked for', async () => {
      const shop = shopOf();
      const request = requestTo();
      const answers = await Promise.all(Array.from({ length: 5 }, () => schedule(shop, request)));
      answers.push(await schedule(shop, { ...request, lines: LINES.toReversed() }));
      for (const answer of answers) expect(answer).to.deep.equal(answers[0]);
      const [entry, ...others] = await bookOf(shop, request.orderId);
      expect(entry).to.deep.include({ state: 'BOOKED', bookingKey: answers[0]?.shipmentId, trackingNumber: answers[0]?.trackingNumber });
      expect(others).to.deep.equal([]);
    });

    const otherContent: Readonly<Record<string, Schedule>> = {
      'another address': { address: { ...ADDRESS, street: 'Main Street 2' } },
      'other lines': { lines: [{ productId: 'grinder', quantity: 3 }, { productId: 'beans', quantity: 1 }] },
      'fewer lines': { lines: LINES.slice(1) },
    };
    for (const [what, other] of Object.entries(otherContent)) {
      it(`asked for again with ${what} is refused`, async () => {
        const shop = shopOf();
        const request = requestTo();
        await schedule(shop, request);
        const error = await refusalOf(schedule(shop, { ...request, ...other }));
        expect(error).to.deep.include({ code: 'ALREADY_EXISTS', reason: 'IDEMPOTENCY_KEY_REUSED' });
      });
    }
  });
}

function describeHandOver(shopOf: () => Shop): void {
  describe('handing a shipment over', () => {
    it('is done once for a confirmed order, and nothing can be called off from then on', async () => {
      const shop = shopOf();
      const productId = await newProduct(shop, 10n);
      const { orderId, state } = await place(shop, requestFor(await newUser(shop), productId, { shippingAddress: ADDRESS }));
      expect(state).to.equal(OrderState.CONFIRMED);
      // The order's own shipment, by the key that they share.
      const { shipmentId } = await schedule(shop, requestTo(ADDRESS.postalCode, { orderId, lines: [{ productId, quantity: 2 }] }));
      const { shipment } = await shop.shipping.handOverShipment({ shipmentId });
      expect(shipment?.state).to.equal(ShipmentState.HANDED_OVER);
      expect((await shop.shipping.handOverShipment({ shipmentId })).shipment).to.deep.equal(shipment);
      expect(await refusalOf(cancel(shop, orderId))).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'SHIPMENT_HANDED_OVER' });
      expect((await bookOf(shop, orderId)).map((entry) => entry.state)).to.deep.equal(['BOOKED']);
    });

    it('is refused for an order that is not confirmed', async () => {
      const shop = shopOf();
      const { shipmentId } = await schedule(shop, requestTo());
      const error = await refusalOf(shop.shipping.handOverShipment({ shipmentId }));
      expect(error).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'ORDER_NOT_CONFIRMED' });
    });

    it('is refused for one that was refused or called off', async () => {
      const shop = shopOf();
      const refused = requestTo('SIM-REFUSE');
      await refusalOf(schedule(shop, refused));
      const { shipmentId } = await shipmentOf(shop, refused.orderId);
      expect((await refusalOf(shop.shipping.handOverShipment({ shipmentId }))).reason).to.equal('SHIPMENT_NOT_SCHEDULED');
      const cancelled = await cancel(shop, randomUUID());
      expect((await refusalOf(shop.shipping.handOverShipment({ shipmentId: cancelled.shipmentId }))).reason).to.equal('SHIPMENT_CANCELLED');
    });
  });
}

function describeShippingRequests(shopOf: () => Shop): void {
  describe('a request to shipping', () => {
    it('for a shipment that is not there is refused, and an order without one has an empty list', async () => {
      const { shipping } = shopOf();
      const shipmentId = randomUUID();
      for (const ask of [shipping.getShipment, shipping.handOverShipment]) {
        expect(await refusalOf(ask({ shipmentId }))).to.deep.include({ code: 'NOT_FOUND', reason: 'SHIPMENT_NOT_FOUND' });
      }
      expect((await shipping.listShipments({ orderId: randomUUID() })).shipments).to.deep.equal([]);
    });

    const line = { productId: 'grinder', quantity: 1 };
    const refused: Readonly<Record<string, [string, Schedule]>> = {
      'without an order_id': ['order_id', { orderId: '' }],
      'without an address': ['address', { address: undefined }],
      'without a recipient': ['address.recipient', { address: { ...ADDRESS, recipient: '' } }],
      'with a country that is no code': ['address.country_code', { address: { ...ADDRESS, countryCode: 'Germany' } }],
      'without lines': ['lines', { lines: [] }],
      'with no piece of a product': ['lines[0].quantity', { lines: [{ ...line, quantity: 0 }] }],
      'with one product twice': ['lines', { lines: [line, line] }],
    };
    for (const [what, [field, other]] of Object.entries(refused)) {
      it(`${what} is refused, naming what is wrong`, async () => {
        const error = await refusalOf(schedule(shopOf(), requestTo(ADDRESS.postalCode, other)));
        expect(error).to.deep.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
        expect(error.violations.map((violation) => violation.field)).to.include(field);
      });
    }
  });
}
