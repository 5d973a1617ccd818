import { expect } from 'chai';

import { type Clock, MeshError, type Random, systemClock } from '#kit';

import type { Consignment, Shipment } from '../../services/shipping/domain.ts';
import { cancel, handOver, schedule, type Shipping } from '../../services/shipping/scheduling.ts';
import { readCarrierBook } from '../../services/shipping/simulated-carrier/index.ts';
import { seededRandom } from '../kit/support.ts';
import { newConsignment, patience, type ShippingFixture, startShippingFixture } from './shipping-fixture.ts';

const ORDERS = 60;
const CALLS_OF_AN_ORDER = 8;
const EXPECTED_REFUSALS = ['SHIPMENT_CANCELLED', 'SHIPMENT_HANDED_OVER', 'SHIPMENT_NOT_SCHEDULED'];
/** What was announced, by the state that it led to. */
const STORIES: Readonly<Record<string, readonly string[]>> = {
  SCHEDULED: ['Scheduled'],
  HANDED_OVER: ['Scheduled HandedOver'],
  // Called off before it was asked for; before the carrier's answer was noted; after that.
  CANCELLED: ['', 'Cancelled', 'Scheduled Cancelled'],
};

describe('two instances of shipping', () => {
  let fixture: ShippingFixture;
  let instances: readonly Shipping[];
  /** How often Postgres broke off one of two that waited for each other. */
  let deadlocks = 0;
  before(async function () {
    this.timeout(20_000);
    fixture = await startShippingFixture();
    const clock: Clock = { ...systemClock, sleep: async (ms, signal) => (deadlocks += 1, systemClock.sleep(ms, signal)) };
    instances = [fixture.addInstance({ clock }), fixture.addInstance({ clock })];
  });
  after(() => fixture?.remove());

  type Call = (shipping: Shipping, wanted: Consignment) => Promise<unknown>;
  const scheduling: Call = (shipping, wanted) => schedule(shipping, wanted, patience());
  const cancelling: Call = (shipping, { orderId }) => cancel(shipping, orderId, patience());
  async function handing(shipping: Shipping, { orderId }: Consignment): Promise<void> {
    const shipment = await fixture.shipmentOf(orderId);
    if (shipment) await handOver(shipping, shipment.shipmentId);
  }

  /** Calls about one order. Some are never called off, so that every end is reached. */
  function callsAbout(wanted: Consignment, { number }: Random): (() => Promise<unknown>)[] {
    const kinds = number() < 0.3 ? [scheduling, scheduling, handing] : [scheduling, scheduling, cancelling, handing];
    // A draw is below 1, so there is one.
    const draw = <T>(from: readonly T[]): T => from[Math.floor(number() * from.length)] as T;
    return Array.from({ length: CALLS_OF_AN_ORDER }, (_, index) => {
      const kind = index === 0 ? scheduling : draw(kinds);
      const shipping = draw(instances);
      let pauses = Math.floor(number() * 6);
      return async () => {
        for (; pauses > 0; pauses -= 1) await fixture.shipmentOf('nobody');
        await kind(shipping, wanted).catch((thrown: unknown) => expect(MeshError.from(thrown).reason).to.be.oneOf(EXPECTED_REFUSALS));
      };
    });
  }

  /** That the shipment, what the carrier has in its book and what was announced tell the same. */
  async function expectAgreement(shipment: Shipment): Promise<void> {
    const { orderId, shipmentId, state, trackingNumber } = shipment;
    const book = (await readCarrierBook(fixture.database, { orderId })).map((entry) => `${entry.bookingKey} ${entry.state} ${entry.trackingNumber}`);
    const isOff = state === 'CANCELLED';
    // One that was called off may never have been booked, or its number not have been noted.
    if (!isOff) expect(book).to.deep.equal([`${shipmentId} BOOKED ${trackingNumber}`]);
    else for (const [index, entry] of book.entries()) expect([index, entry.split(' ', 2)]).to.deep.equal([0, [shipmentId, 'CANCELLED']]);
    const story = (await fixture.eventsOf(orderId)).map(({ type }) => type.replace('shop.shipping.v1.Shipment', '')).join(' ');
    expect(story).to.be.oneOf([...(STORIES[state] ?? [])]);
  }

  for (const seed of [1, 2, 3]) {
    it(`book an order once at most and agree with the carrier, whatever is asked of them at once (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const orders = Array.from({ length: ORDERS }, () => newConsignment());
      const calls = orders.flatMap((wanted) => callsAbout(wanted, random));
      await Promise.all(calls.map((call) => call()));
      const shipments = await Promise.all(orders.map(async ({ orderId }) => (await fixture.shipmentOf(orderId)) ?? expect.fail('there is none')));
      for (const shipment of shipments) await expectAgreement(shipment);
      expect(new Set(shipments.map(({ state }) => state))).to.include.all.keys('SCHEDULED', 'HANDED_OVER', 'CANCELLED');
      expect(deadlocks).to.equal(0);
    });
  }
});
